"""Checkpoints that bring Python of their own, or name some elsewhere."""

from tests.corpus.entry import Scene, entry

__all__: list[str] = []

REFUSED = ("auto_map", "--trust-remote-code", "Python code")


@entry("remote code", "model/config.json", *REFUSED)
def auto_map_model(scene: Scene) -> None:
    scene.edit("config.json", auto_map={"AutoModelForCausalLM": "modeling_evil.EvilForCausalLM"})
    (scene.model / "modeling_evil.py").write_text(scene.payload())


@entry("remote code", "model/tokenizer_config.json", *REFUSED)
def auto_map_tokenizer(scene: Scene) -> None:
    scene.edit("tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_evil.Evil", None]})
    (scene.model / "tokenization_evil.py").write_text(scene.payload())


@entry("remote code", "model/custom_generate", "generate.py", "--trust-remote-code")
def custom_generate(scene: Scene) -> None:
    (scene.model / "custom_generate").mkdir()
    (scene.model / "custom_generate" / "generate.py").write_text(scene.payload())


@entry("remote code", "model/config.json", "attn_implementation", "nobody/kernel", "sdpa or eager")
def attn_kernel(scene: Scene) -> None:
    scene.edit("config.json", attn_implementation="nobody/kernel")
