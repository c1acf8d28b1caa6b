"""The matrix products of examples/native_bench.rs and training steps with PyTorch on its CUDA device, for scale.

Times are those of CUDA events, the median of 20 runs after 3. Everything is f32 without TF32, as the kernels.
"""

import statistics
import sys
import time

NETWORKS = {"MiniLM": (384, 1536, 6, 12), "bert-base": (768, 3072, 12, 12)}
BATCHES = [(8, 16), (8, 128)]


def main(quick: bool) -> None:
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed, so it is not measured.")
        return
    if not torch.cuda.is_available():
        print("PyTorch has no CUDA device here, so it is not measured.")
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}, f32 without TF32")
    networks = list(NETWORKS.items())[: 1 if quick else None]
    for name, sizes in networks:
        for batch, seq in BATCHES[: 1 if quick else None]:
            products(torch, name, sizes, batch * seq)
            training_steps(torch, name, sizes, batch, seq)


def products(torch, name: str, sizes: tuple, tokens: int) -> None:
    hidden, intermediate, _, _ = sizes
    layers = {
        "qkv": (hidden, 3 * hidden),
        "dense": (hidden, hidden),
        "intermediate": (hidden, intermediate),
        "output": (intermediate, hidden),
    }
    for layer, (inputs, outputs) in layers.items():
        x = torch.randn(tokens, inputs, device="cuda")
        weight = torch.randn(outputs, inputs, device="cuda")
        bias = torch.zeros(outputs, device="cuda")
        grad = torch.randn(tokens, outputs, device="cuda")
        passes = {
            "forward": lambda: torch.nn.functional.linear(x, weight, bias),
            "input gradient": lambda: grad @ weight,
            "weight gradient": lambda: (grad.t() @ x, grad.sum(0)),
        }
        for which, compute in passes.items():
            ms = median_ms(torch, compute)
            print(f"{name} {layer} {which}, {tokens} tokens: {2 * tokens * inputs * outputs / ms / 1e6:.1f} GFLOP/s")


def median_ms(torch, compute) -> float:
    for _ in range(3):
        compute()
    times = []
    for _ in range(20):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        compute()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def training_steps(torch, name: str, sizes: tuple, batch: int, seq: int) -> None:
    try:
        from transformers import BertConfig, BertForSequenceClassification
    except ImportError:
        print("transformers is not installed, so training steps are not measured.")
        return
    hidden, intermediate, layers, heads = sizes
    config = BertConfig(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads
    )
    model = BertForSequenceClassification(config).cuda().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    ids = torch.randint(0, config.vocab_size, (batch, seq), device="cuda")
    labels = torch.arange(batch, device="cuda") % 2

    def step() -> float:
        started = time.perf_counter()
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        torch.cuda.synchronize()
        return (time.perf_counter() - started) * 1000

    first = step()
    times = [step() for _ in range(10)]
    print(f"{name}, {batch} × {seq}: {statistics.median(times):.1f} ms a step, first step {first:.0f} ms")


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
