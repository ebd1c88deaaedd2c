"""Builds tiny real checkpoints that see: random weights, a tokenizer trained on a few lines, a processor by Pillow."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPProcessor,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2VisionConfig,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3ImageProcessorPil,
    Gemma3Processor,
    GemmaConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipProcessor,
    SiglipVisionConfig,
)

from tests.tiny import TEXT, tiny_llama_config

SIDE, PATCH, WIDTH = 32, 16, 32
CHAT_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
"""Takes turns in parts alone, as most templates of models that see."""


def seeing_tokenizer(lines: Sequence[str] = TEXT, *, vocab_size: int = 400, **names: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with `<image>` and other special tokens, `names` among them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>", "<image>", *names.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>", **names},
        chat_template=CHAT_TEMPLATE,
    )


def build_tiny_llava(folder: Path) -> Path:
    """A LLaVA of four tokens a picture."""
    tokenizer = seeing_tokenizer()
    processor = LlavaProcessor(
        image_processor=_pictures(SiglipImageProcessorPil),
        tokenizer=tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        image_token="<image>",
        chat_template=CHAT_TEMPLATE,
    )
    config = LlavaConfig(
        vision_config=_vision().to_dict(),
        text_config=_text(tokenizer).to_dict(),
        image_token_index=tokenizer.image_token_id,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=4,
    )
    return _save(folder, LlavaForConditionalGeneration, config, processor)


def build_tiny_idefics3(folder: Path) -> Path:
    """An Idefics3, which cuts larger pictures into pieces with marks between them."""
    tokenizer = seeing_tokenizer(fake="<fake_token_around_image>", whole="<global-img>", end="<end_of_utterance>")
    pieces = [AddedToken(f"<row_{row}_col_{column}>", special=True) for row in (1, 2) for column in (1, 2)]
    tokenizer.add_tokens(pieces, special_tokens=True)
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE}, do_image_splitting=True
    )
    processor = Idefics3Processor(
        image_processor=pictures, tokenizer=tokenizer, image_seq_len=1, chat_template=CHAT_TEMPLATE
    )
    vision = {**_vision().to_dict(), "model_type": "idefics3_vision"}
    config = Idefics3Config(
        vision_config=vision,
        text_config=_text(tokenizer).to_dict(),
        image_token_id=tokenizer.image_token_id,
        scale_factor=2,
    )
    return _save(folder, Idefics3ForConditionalGeneration, config, processor)


def build_tiny_paligemma(folder: Path) -> Path:
    """A PaliGemma, in whose prompts each token sees all others."""
    tokenizer = seeing_tokenizer()
    pictures = _pictures(SiglipImageProcessorPil)
    pictures.image_seq_length = 4
    processor = PaliGemmaProcessor(image_processor=pictures, tokenizer=tokenizer)
    text = GemmaConfig(
        **{**_sizes(tokenizer), "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh"}, tie_word_embeddings=True
    )
    config = PaliGemmaConfig(
        vision_config=_vision().to_dict(),
        text_config=text.to_dict(),
        image_token_index=tokenizer.image_token_id,
        projection_dim=WIDTH,
    )
    return _save(folder, PaliGemmaForConditionalGeneration, config, processor)


def build_tiny_gemma3(folder: Path) -> Path:
    """A Gemma 3, in whose pictures each token sees all others; its architecture is that of a causal model, too."""
    tokenizer = seeing_tokenizer(boi_token="<start_of_image>", eoi_token="<end_of_image>")
    processor = Gemma3Processor(
        image_processor=_pictures(Gemma3ImageProcessorPil),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<start_of_image>"),
    )
    text = {**_sizes(tokenizer), "head_dim": 8, "sliding_window": 64, "model_type": "gemma3_text"}
    config = Gemma3Config(
        vision_config=_vision().to_dict(),
        text_config=text,
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=tokenizer.convert_tokens_to_ids("<end_of_image>"),
        mm_tokens_per_image=4,
    )
    return _save(folder, Gemma3ForConditionalGeneration, config, processor)


def build_tiny_clip(folder: Path) -> Path:
    """A CLIP."""
    tokenizer = seeing_tokenizer()
    tokenizer.model_max_length = 64
    processor = CLIPProcessor(
        image_processor=_pictures(CLIPImageProcessorPil, crop_size={"height": SIDE, "width": SIDE}), tokenizer=tokenizer
    )
    config = CLIPConfig(
        text_config={**_layers(), "vocab_size": len(tokenizer), "max_position_embeddings": 64, "eos_token_id": 2},
        vision_config={**_layers(), "image_size": SIDE, "patch_size": PATCH},
        projection_dim=WIDTH,
    )
    return _save(folder, CLIPModel, config, processor)


def build_tiny_siglip(folder: Path) -> Path:
    """A SigLIP."""
    tokenizer = seeing_tokenizer()
    tokenizer.model_max_length = 64
    processor = SiglipProcessor(image_processor=_pictures(SiglipImageProcessorPil), tokenizer=tokenizer)
    config = SiglipConfig(
        text_config={
            **_layers(),
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 64,
            "projection_size": WIDTH,
        },
        vision_config=_vision().to_dict(),
    )
    return _save(folder, SiglipModel, config, processor)


def build_tiny_florence(folder: Path) -> Path:
    """A Florence-2, whose decoder reads pictures and texts through an encoder."""
    tokenizer = seeing_tokenizer()
    processor = LlavaProcessor(
        image_processor=_pictures(SiglipImageProcessorPil), tokenizer=tokenizer, patch_size=PATCH, image_token="<image>"
    )
    vision = Florence2VisionConfig(
        depths=(1,), patch_size=(7,), patch_stride=(4,), patch_padding=(3,), patch_prenorm=(False,), embed_dim=(WIDTH,),
        num_heads=(4,), num_groups=(4,), window_size=4, projection_dim=WIDTH,
    )  # fmt: skip
    text = {
        "model_type": "bart",
        "vocab_size": len(tokenizer),
        "d_model": WIDTH,
        **{f"{part}_{size}": count for part in ("encoder", "decoder") for size, count in _STACK.items()},
    }
    config = Florence2Config(vision_config=vision.to_dict(), text_config=text, image_token_id=tokenizer.image_token_id)
    return _save(folder, Florence2ForConditionalGeneration, config, processor)


_STACK = {"layers": 1, "attention_heads": 4, "ffn_dim": 2 * WIDTH}
SEEING: dict[str, Callable[[Path], Path]] = {
    "llava": build_tiny_llava,
    "idefics3": build_tiny_idefics3,
    "paligemma": build_tiny_paligemma,
    "gemma3": build_tiny_gemma3,
}
CONTRASTIVE: dict[str, Callable[[Path], Path]] = {"clip": build_tiny_clip, "siglip": build_tiny_siglip}


def _layers() -> dict[str, int]:
    return {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4}


def _sizes(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    return {
        **_layers(),
        "vocab_size": len(tokenizer),
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
    }


def _vision() -> SiglipVisionConfig:
    return SiglipVisionConfig(**_layers(), image_size=SIDE, patch_size=PATCH)


def _text(tokenizer: PreTrainedTokenizerFast) -> Any:
    return tiny_llama_config(vocab_size=len(tokenizer), pad_token_id=3)


def _pictures(made: Any, **options: Any) -> Any:
    return made(size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3, **options)


def _save(folder: Path, made: Any, config: Any, processor: Any, scale: float = 8) -> Path:
    torch.manual_seed(0)
    model = made(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1 and not parameter.any():
                parameter.normal_(std=0.1)  # what would begin as nothing would leave the model blind
            elif parameter.dim() > 1:
                parameter.mul_(scale)
    model.eval()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
