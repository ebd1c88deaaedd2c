"""Under which heading the help of a command lists the options of an evaluation; the others come first, under none."""

from collections.abc import Mapping

__all__ = ["EVALUATION"]

_PANELS: Mapping[str, tuple[str, ...]] = {
    "What is asked": (
        *("limit", "seed", "reference", "adapt", "corpus", "toxicity_model", "bertscore_model"),
        *("include_path", "task_data"),
    ),
    "Worked examples": ("num_fewshot", "fewshot_as_multiturn"),
    "Chats": ("apply_chat_template", "system_prompt", "thinking"),
    "How answers are written": ("samples", "temperature", "top_p", "top_k", "max_tokens", "gen_kwargs"),
    "How the checkpoint is read": ("base", "kind", "labels", "source_language", "target_language"),
    "Where it is computed": (
        *("dtype", "device", "device_map", "tensor_parallel", "batch_tokens", "max_memory_bytes"),
        *("workers", "gpus_per_worker", "ray_address", "threads", "meter", "region"),
    ),
    "Served models": ("api_key_env", "concurrency", "timeout_s", "energy_url"),
    "What is allowed": (
        *("offline", "trust_remote_code", "trust_task_code", "trust_metric_code", "allow_code_execution"),
        "plugin_timeout_s",
    ),
    "What is kept": ("output", "store", "lineage", "step", "tags"),
}

EVALUATION: Mapping[str, str] = {name: panel for panel, names in _PANELS.items() for name in names}
"""Heading by option."""
