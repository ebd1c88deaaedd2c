"""The decision of one text by the plain transformers model: one text, one choice, one pass."""

import numpy as np
import torch

__all__ = ["AFTER", "BEFORE", "CHOICES", "TEXT", "WORDS", "Plain"]

BEFORE, TEXT, AFTER = "Question:", " where does the quick brown fox jump?", "\nAnswer:"
WORDS = [" where", " does", " the", " quick", " brown", " fox", " jump?"]
CHOICES = (" yes", " the rain", " river bank")


class Plain:
    """Log-odds of the choice `decision`, of texts without some words and of embeddings in place of the words'."""

    def __init__(self, kind, model, tokenizer, decision):
        self.kind, self.model, self.tokenizer, self.decision = kind, model, tokenizer, decision
        source = model.get_encoder() if kind == "seq2seq" else model
        self.layer = source.get_input_embeddings()

    def scores(self, text, given=None):
        if self.kind == "classifier":
            return self._pass(self.tokenizer(text)["input_ids"], given).log_softmax(-1)[0]
        return torch.stack([self._likelihood(text, choice, given) for choice in CHOICES])

    def log_odds(self, scores):
        others = [index for index in range(len(scores)) if index != self.decision]
        return scores[self.decision] - scores[others].logsumexp(0)

    def of_kept(self, kept):
        """What captum calls with rows of ones and zeros."""
        with torch.no_grad():
            return torch.stack([self.log_odds(self.scores(_text(row))) for row in kept])

    def of_embeddings(self, values):
        """What captum calls with embeddings of the words' tokens."""
        columns, _ = self.explained()
        whole = BEFORE + TEXT + AFTER
        return torch.stack([self.log_odds(self.scores(whole, (columns, one[None]))) for one in values])

    @property
    def embeddings(self):
        columns, _ = self.explained()
        ids = self.tokenizer(BEFORE + TEXT + AFTER)["input_ids"]
        return self.layer(torch.tensor([ids]))[:, columns].detach()

    def by_word(self, found):
        _, owners = self.explained()
        return torch.zeros(len(found), len(WORDS)).index_add(1, torch.tensor(owners), found.sum(-1)).detach()

    def explained(self):
        """The columns of the words' tokens, and which word each is of."""
        found = self.tokenizer(BEFORE + TEXT + AFTER, return_offsets_mapping=True)["offset_mapping"]
        ends = np.cumsum([len(BEFORE), *map(len, WORDS)])
        columns = [column for column, (start, end) in enumerate(found) if end > start and ends[0] < end <= ends[-1]]
        return columns, [int(np.searchsorted(ends, found[column][1])) - 1 for column in columns]

    def _likelihood(self, text, choice, given):
        context = self.tokenizer(text)["input_ids"]
        targets = self.tokenizer(choice, add_special_tokens=False)["input_ids"]
        if self.kind == "masked":
            return self._masked(text, choice, given)
        if self.kind == "causal":
            logits = self._pass([*context, *targets][:-1], given)[0, -len(targets) :]
        else:
            logits = self._pass(context, given, decoder_input_ids=torch.tensor([[3, *targets[:-1]]]))[0]
        return logits.log_softmax(-1)[range(len(targets)), targets].sum()

    def _masked(self, text, choice, given):
        found = self.tokenizer(text + choice)
        ids, words = found["input_ids"], found.word_ids()
        total = torch.zeros(())
        for place in range(len(self.tokenizer(text)["input_ids"]) - 1, len(ids) - 1):
            later = [other for other in range(place, len(ids) - 1) if words[other] == words[place]]
            copy = [self.tokenizer.mask_token_id if other in later else ids[other] for other in range(len(ids))]
            total = total + self._pass(copy, given)[0, place].log_softmax(-1)[ids[place]]
        return total

    def _pass(self, ids, given, **others):
        embeddings = self.layer(torch.tensor([ids]))
        if given is not None:
            columns, values = given
            embeddings = torch.cat([embeddings[:, : columns[0]], values, embeddings[:, columns[-1] + 1 :]], dim=1)
        return self.model(inputs_embeds=embeddings, **others).logits


def _text(kept):
    return BEFORE + "".join(word for word, keep in zip(WORDS, kept, strict=True) if keep) + AFTER
