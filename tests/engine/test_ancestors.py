"""Who sees whom in packed rows, by a walk along parents; and attention in blocks against torch's own under a mask."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention

from harness.engine.kernels.accelerators import WIDE, TreeKernels, is_wide
from harness.engine.kernels.ancestors import Ancestors
from harness.engine.tree import packed_row, side_by_side

TEXTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=9).map(tuple), min_size=1, max_size=8, unique=True)


def rows_of(groups):
    rows = [packed_row(sorted(texts), 0) for texts in groups]
    return [*rows, *side_by_side(rows, 10_000)]


def is_seen(row, query, key, before, window):
    """Whether token `query` of the row sees the key, which is of the stem where it is less than `before`."""
    path = [*range(before), *(before + node for node in row.path(query))]
    return key in (path if window is None else path[-window:])


@given(groups=st.lists(TEXTS, min_size=1, max_size=3), before=st.integers(0, 4), window=st.none() | st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_a_token_sees_its_ancestors_the_stem_and_itself_as_far_as_the_window_reaches(groups, before, window):
    rows = rows_of(groups)
    mask = Ancestors.of(rows, before, "cpu").mask(window, torch.float32)
    assert set(mask.unique().tolist()) <= {0.0, torch.finfo(torch.float32).min}
    for index, row in enumerate(rows):
        for query in range(len(row.tokens)):
            found = [key for key in range(mask.shape[-1]) if mask[index, 0, query, key] == 0]
            assert found == [key for key in range(mask.shape[-1]) if is_seen(row, query, key, before, window)]


@pytest.mark.parametrize("window", [None, 5])
@pytest.mark.parametrize("before", [0, 140])
def test_attention_in_blocks_is_what_torch_computes_under_the_mask(before, window):
    shared = tuple(range(150))
    rows = rows_of([[(*shared, 1, 2, 3), (*shared, 1, 4), (*shared, 5)], [(9, 8, 7), (9, 8, 6)]])
    mask = Ancestors.of(rows, before, "cpu").mask(window, torch.float32)
    width = mask.shape[2]
    generator = torch.Generator().manual_seed(before)
    queries = torch.randn((len(rows), 4, width, 16), generator=generator)
    keys, values = torch.randn((2, len(rows), 4, before + width, 16), generator=generator)
    expected = scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=0.3)
    calls = []

    def watched(*states, **options):
        calls.append(options)
        return flex_attention(*states, **options)

    with TreeKernels({"attention_mask": {"full_attention": mask}}, watched):
        found = scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=0.3)
        other = scaled_dot_product_attention(queries, keys, values, attn_mask=mask.clone(), scale=0.3)
    assert len(calls) == 1  # a mask that nobody knows is left to torch
    for index, row in enumerate(rows):  # of padding, nobody reads what was computed
        end = len(row.tokens)
        torch.testing.assert_close(found[index, :, :end], expected[index, :, :end], atol=1e-5, rtol=0)
    assert torch.equal(other, expected)


@pytest.mark.parametrize(("width", "expected"), [(WIDE - 1, False), (WIDE, True)])
def test_only_wide_rows_that_branch_are_worth_a_compiler(width, expected):
    texts = [(*range(width - 2), ending) for ending in (1, 2)]
    mask = Ancestors.of([packed_row(texts, 0)], 0, "cpu").mask(None, torch.float32)
    assert mask.shape[2] == width
    assert is_wide({"attention_mask": mask}) == expected
    assert not is_wide({"attention_mask": mask[:1]})
    assert not is_wide({"input_ids": None})
