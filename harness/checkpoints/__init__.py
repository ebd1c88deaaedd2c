"""Model references: found, inspected without executing anything, fingerprinted, and loaded on demand.

`resolve` needs neither torch nor transformers; loading is apart, in `harness.checkpoints.loading`.
"""

from logging import ERROR, getLogger

from harness.checkpoints.chat_templates import refuse_template
from harness.checkpoints.loading.dtypes import resolve_dtype
from harness.checkpoints.remote_code import refuse_remote_code
from harness.checkpoints.resolver import resolve, resolve_named

__all__ = ["refuse_remote_code", "refuse_template", "resolve", "resolve_dtype", "resolve_named"]

for _name in ("torchao", "torch.utils._pytree", "accelerate"):
    # Where torchao is installed, transformers imports it, and it complains of kernels for other machines. accelerate
    # says of weights that --device-map leaves on disk that they are "on the meta device"; where they are, the record
    # has, and what doesn't fit is refused in words of the harness's own.
    getLogger(_name).setLevel(ERROR)
