"""The same classifier as an ONNX file, for transformers.js: PyTorch's exporter on transformers' BertForSequenceClassification.

Batch and length stay open, as in the ONNX files that are published for transformers.js; the file is `onnx/model.onnx` in the model's folder.
"""

import sys
from pathlib import Path

import torch
from transformers import BertForSequenceClassification

OPSET = 20  # the first with Gelu as one operation


class Logits(torch.nn.Module):
    """What the exporter traces: tensors in, one tensor out."""

    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


def main(model_folder: str) -> None:
    folder = Path(model_folder)
    model = BertForSequenceClassification.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32).eval()
    (folder / "onnx").mkdir(exist_ok=True)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = (torch.full((2, 16), 101), torch.ones(2, 16, dtype=torch.long), torch.zeros(2, 16, dtype=torch.long))
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", min=2, max=model.config.max_position_embeddings)}
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
