"""Forms that others ask for, filled as far as a record goes: each is a YAML file of questions in this folder."""

from harness.report.forms.filling import FORMS, filled_form

__all__ = ["FORMS", "filled_form"]
