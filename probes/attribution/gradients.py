"""Methods that follow gradients back to the embeddings: integrated gradients, and gradient x input."""

from typing import Any, Literal

import torch

from harness.core.attributions import AttributionSettings, Embedded

__all__ = ["GradientXInput", "IntegratedGradients"]


class IntegratedGradients:
    """Gradients along the straight line from embeddings of zero to the text's, times the embeddings.

    Sundararajan et al., "Axiomatic Attribution for Deep Networks" (2017), whose baseline for texts is all zeros.
    `steps` points by Gauss-Legendre quadrature. Only the units explained go to zero, the rest of the prompt stays. A
    unit's value is the sum over its tokens and their dimensions.
    """

    name = "integrated_gradients"
    needs_gradients: Literal[True] = True

    def attribute_at(self, embedded: Embedded, embeddings: Any, settings: AttributionSettings) -> Any:
        """See `GradientMethod`: captum's `IntegratedGradients` on the output of the embedding layer."""
        from captum.attr import IntegratedGradients as CaptumIntegratedGradients

        found = CaptumIntegratedGradients(embedded).attribute(
            embeddings,
            baselines=torch.zeros_like(embeddings),
            n_steps=settings.steps,
            internal_batch_size=max(embedded.rows_at_once, len(embeddings)),
        )
        return embedded.by_unit(found)


class GradientXInput:
    """The gradient of the decision's log-odds by the embeddings, times the embeddings.

    Shrikumar et al., "Not Just a Black Box" (2016). One pass forward and back. True of small changes only.
    """

    name = "gradient_x_input"
    needs_gradients: Literal[True] = True

    def attribute_at(self, embedded: Embedded, embeddings: Any, settings: AttributionSettings) -> Any:  # noqa: ARG002
        """See `GradientMethod`: captum's `InputXGradient` on the output of the embedding layer."""
        from captum.attr import InputXGradient

        leaf = embeddings.detach().requires_grad_()
        return embedded.by_unit(InputXGradient(embedded).attribute(leaf))
