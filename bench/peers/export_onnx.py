"""Exports the classifier to ONNX for transformers.js, with PyTorch's exporter.

Batch and sequence length are dynamic, as in the ONNX files that are published for transformers.js. The file is
`onnx/model.onnx` in the model folder.
"""

import sys
from pathlib import Path

import torch
from transformers import BertForSequenceClassification

OPSET = 20  # the first opset with a Gelu operator


class Logits(torch.nn.Module):
    """The traced module: it takes tensors and returns one tensor."""

    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


def main(model_folder: str) -> None:
    folder = Path(model_folder)
    load = BertForSequenceClassification.from_pretrained
    model = load(folder, attn_implementation="sdpa", dtype=torch.float32).eval()
    (folder / "onnx").mkdir(exist_ok=True)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = (torch.full((2, 16), 101), torch.ones(2, 16, dtype=torch.long), torch.zeros(2, 16, dtype=torch.long))
    sequence = torch.export.Dim("sequence", min=2, max=model.config.max_position_embeddings)
    axes = {0: torch.export.Dim("batch"), 1: sequence}
    torch.onnx.export(
        Logits(model).eval(),
        example,
        str(folder / "onnx/model.onnx"),
        input_names=names,
        output_names=["logits"],
        dynamic_shapes={name: axes for name in names},
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
