"""PyTorch eager outside the browser, for scale: transformers' classifier with the same weights and batches.

The first line on standard output reports the opening and the first step. Each line of JSON on standard input
(`{"count": 3}`) is answered with a repetition, as by bench/page/serve.js. Attention is PyTorch's
`scaled_dot_product_attention`, AdamW has the two parameter groups of transformers' Trainer, everything is in f32. The
last argument is an object of JSON: `mode`, `device`, `threads` (null for PyTorch's default) and `fused` (AdamW).
"""

import json
import sys
import time

import torch
from transformers import BertForSequenceClassification


def main(model_folder: str, work_file: str, options: str) -> None:
    chosen = json.loads(options)
    mode, device = chosen["mode"], chosen["device"]
    if chosen["threads"]:
        torch.set_num_threads(chosen["threads"])
    work = json.load(open(work_file, encoding="utf-8"))
    started = time.perf_counter()
    load = BertForSequenceClassification.from_pretrained
    model = load(model_folder, attn_implementation="sdpa", dtype=torch.float32)
    model.to(device).train(mode == "train")
    subject = trainer(model, work, device, chosen["fused"]) if mode == "train" else forward(model, work, device)

    done = 0

    def repeat(count: int) -> dict:
        nonlocal done
        repetition = {"steps": [], "losses": [], "norms": [], "logits": []}
        start = time.perf_counter()
        for _ in range(count):
            step_start = time.perf_counter()
            for key, value in subject(done).items():
                repetition[key] = value if key == "logits" else [*repetition[key], value]
            done += 1
            repetition["steps"].append((time.perf_counter() - step_start) * 1000)
        if device == "cuda":
            torch.cuda.synchronize()
        repetition["ms"] = (time.perf_counter() - start) * 1000
        return repetition

    first = repeat(1)
    name = torch.cuda.get_device_name() if device == "cuda" else cpu_name()
    opened = {"first": first, "openToFirst": (time.perf_counter() - started) * 1000, "device": name}
    if device == "cuda":
        opened["memory"] = torch.cuda.max_memory_allocated()
    print(json.dumps(opened), flush=True)
    for line in sys.stdin:
        print(json.dumps(repeat(json.loads(line)["count"])), flush=True)


def cpu_name() -> str:
    threads = torch.get_num_threads()
    return "CPU, one thread" if threads == 1 else f"CPU, {threads} threads"


def batches(work: dict, device: str) -> list[tuple[torch.Tensor, torch.Tensor]]:
    ids = torch.tensor(work["input_ids"]).view(-1, work["batch"], work["seq"]).to(device)
    labels = torch.tensor(work["labels"]).view(-1, work["batch"]).to(device)
    return list(zip(ids, labels, strict=True))


def trainer(model, work: dict, device: str, fused: bool):
    given = batches(work, device)
    wanted = work["arguments"]
    not_decayed = [p for n, p in model.named_parameters() if n.endswith(".bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith(".bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": wanted["weight_decay"]}, {"params": not_decayed, "weight_decay": 0.0}],
        lr=wanted["learning_rate"],
        betas=(wanted["adam_beta1"], wanted["adam_beta2"]),
        eps=wanted["adam_epsilon"],
        fused=fused or None,
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
