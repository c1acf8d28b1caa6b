"""PyTorch eager, outside the browser, for scale: transformers' BertForSequenceClassification on the same weights and batches.

Speaks the driver's language: its first line on standard output tells of the opening and the first step, and then each line of JSON on
standard input (`{"count": 3}`) is answered with a repetition, as bench/page/serve.js answers. Attention is PyTorch's own
(`scaled_dot_product_attention`), AdamW with two parameter groups as transformers' Trainer makes them, everything in f32.
"""

import json
import sys
import time

import torch
from transformers import BertForSequenceClassification


def main(model_folder: str, work_file: str, mode: str, device: str) -> None:
    work = json.load(open(work_file, encoding="utf-8"))
    started = time.perf_counter()
    model = BertForSequenceClassification.from_pretrained(model_folder, attn_implementation="sdpa", dtype=torch.float32)
    model.to(device).train(mode == "train")
    subject = trainer(model, work, device) if mode == "train" else forward(model, work, device)

    done = 0

    def repeat(count: int) -> dict:
        nonlocal done
        told = {"steps": [], "losses": [], "norms": [], "logits": []}
        begun = time.perf_counter()
        for _ in range(count):
            step_begun = time.perf_counter()
            for key, value in subject(done).items():
                told[key] = value if key == "logits" else [*told[key], value]
            done += 1
            told["steps"].append((time.perf_counter() - step_begun) * 1000)
        if device == "cuda":
            torch.cuda.synchronize()
        told["ms"] = (time.perf_counter() - begun) * 1000
        return told

    first = repeat(1)
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    opened = {"first": first, "openToFirst": (time.perf_counter() - started) * 1000, "device": name}
    if device == "cuda":
        opened["memory"] = torch.cuda.max_memory_allocated()
    print(json.dumps(opened), flush=True)
    for line in sys.stdin:
        print(json.dumps(repeat(json.loads(line)["count"])), flush=True)


def batches(work: dict, device: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    ids = torch.tensor(work["input_ids"]).view(-1, work["batch"], work["seq"]).to(device)
    labels = torch.tensor(work["labels"]).view(-1, work["batch"]).to(device)
    return list(zip(ids, labels, strict=True))


def trainer(model, work: dict, device: str):
    given = batches(work, device)
    wanted = work["arguments"]
    kept = [p for n, p in model.named_parameters() if n.endswith(".bias") or "LayerNorm" in n]
    shrinking = [p for n, p in model.named_parameters() if not (n.endswith(".bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW(
        [{"params": shrinking, "weight_decay": wanted["weight_decay"]}, {"params": kept, "weight_decay": 0.0}],
        lr=wanted["learning_rate"],
        betas=(wanted["adam_beta1"], wanted["adam_beta2"]),
        eps=wanted["adam_epsilon"],
    )

    def step(at: int) -> dict:
        ids, labels = given[at % len(given)]
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), wanted["max_grad_norm"])
        optimizer.step()
        optimizer.zero_grad()
        return {"losses": loss.item(), "norms": norm.item()}

    return step


def forward(model, work: dict, device: str):
    ids, _ = batches(work, device)[0]

    def step(_at: int) -> dict:
        with torch.inference_mode():
            return {"logits": model(input_ids=ids).logits.flatten().tolist()}

    return step


if __name__ == "__main__":
    main(*sys.argv[1:])
