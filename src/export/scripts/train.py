"""Repeats a run of webtune with transformers' Trainer: the same rows in the same order, the same initial head, the same
settings.

    pip install -r requirements.txt
    python train.py                              one GPU, or the CPU
    accelerate launch train.py                   as many GPUs as `accelerate config` has been told
    torchrun --nproc_per_node 2 train.py         two GPUs

An update has the same rows on any number of GPUs. The files beside this script are read: training_args.json (the
settings), config.json (the labels), the tokenizer, data/ (the rows), initial_head.safetensors, and trainer_state.json
(the losses of the browser, which are compared at the end).
"""

import argparse
import json
import math
import os
from pathlib import Path

# Without a launcher, the Trainer would give every GPU a batch of its own and so make an update of more rows.
if "LOCAL_RANK" not in os.environ:
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")

import numpy as np
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight
from transformers import (
    AutoTokenizer,
    BertForSequenceClassification,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    Trainer,
    TrainingArguments,
)
from transformers.modeling_outputs import SequenceClassifierOutput

here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description="Repeats a run of webtune with transformers' Trainer.")
parser.add_argument("--model", help="base model: a folder, or its name on the Hub (default: base_model of README.md)")
parser.add_argument("--output_dir", default=str(here / "trained"), help="gets the trained model (default: trained/)")
options = parser.parse_args()

settings = json.loads((here / "training_args.json").read_text(encoding="utf-8"))
config = json.loads((here / "config.json").read_text(encoding="utf-8"))
labels = [config["id2label"][str(label)] for label in range(len(config["id2label"]))]
base_model = options.model or ModelCard.load(here / "README.md").data.base_model
is_main = int(os.environ.get("RANK", 0)) == 0


def say(text):
    if is_main:
        print(text, flush=True)


# Every setting of webtune is used below, or has done its work before the training: the rows are written as they were.
# The browser's own copy of the state of a run (state_save_seconds) is nothing to a script.
DONE = """toy_dataset num_rows toy_language toy_classes label_noise dataset_seed test_size stratify group_duplicates
    random_state validation_size state_save_seconds"""
USED = """padding max_length num_train_epochs per_device_train_batch_size per_device_eval_batch_size
    gradient_accumulation_steps learning_rate head_learning_rate lr_scheduler_type warmup_steps warmup_ratio
    weight_decay max_grad_norm label_smoothing_factor classifier_pooling class_weight max_steps load_best_model_at_end
    metric_for_best_model early_stopping_patience adam_beta1 adam_beta2 adam_epsilon tuning lora_r lora_alpha
    lora_target_modules gradient_checkpointing fp16 freeze_embeddings freeze_layers shuffle seed save_strategy
    save_steps save_total_limit"""
unknown = set(settings) - {*DONE.split(), *USED.split()}
if unknown:
    raise SystemExit(f"train.py does not know these settings of training_args.json: {', '.join(sorted(unknown))}.")


# The rows, as token ids.
tokenizer = AutoTokenizer.from_pretrained(here)


def read(part):
    with open(here / "data" / f"{part}.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    padding = "max_length" if settings["padding"] == "max_length" else False
    encode = lambda text: tokenizer(text, truncation=True, max_length=settings["max_length"], padding=padding)
    return [{**encode(row["text"]), "labels": row["label"]} for row in rows]


train_rows, test_rows = read("train"), read("test")
has_validation = (here / "data" / "validation.jsonl").exists()
eval_rows = read("validation") if has_validation else test_rows


# An update has `batch_size * accumulation` consecutive rows, which all processes share.
world_size = int(os.environ.get("WORLD_SIZE", 1))
batch_size, accumulation = settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]
rows_of_update = batch_size * accumulation
shared = math.gcd(accumulation, world_size)
accumulation //= shared
if batch_size % (world_size // shared):
    raise SystemExit(
        f"An update has {rows_of_update} rows, which {world_size} processes cannot share equally. Take another number "
        "of processes."
    )
batch_size //= world_size // shared
say(
    f"{len(train_rows)} training rows, {rows_of_update} in an update: {world_size} process(es) with "
    f"per_device_train_batch_size {batch_size} and gradient_accumulation_steps {accumulation}."
)
if len(train_rows) % (batch_size * world_size) and world_size > 1:
    say("The last batches of an epoch are filled up with its first rows, so that each process gets as many.")


class MeanPooledBert(BertForSequenceClassification):
    """A classifier on the mean of the last hidden states (`classifier_pooling` mean)."""

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None, **kwargs):
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))


# The base model with the head, and the adapters, that the run has begun with.
is_mean = settings["classifier_pooling"] == "mean"
try:
    model = (MeanPooledBert if is_mean else BertForSequenceClassification).from_pretrained(
        base_model,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: label_id for label_id, label in enumerate(labels)},
        problem_type="single_label_classification",
        ignore_mismatched_sizes=True,
        dtype=torch.float32,
    )
except OSError as error:
    raise SystemExit(f"The base model cannot be loaded. Name its folder or repository with --model. {error}")
initial = load_file(here / "initial_head.safetensors")
adapters = {name: tensor for name, tensor in initial.items() if ".lora_" in name}
head = {name: tensor for name, tensor in initial.items() if name not in adapters}
unexpected = model.load_state_dict(head, strict=False).unexpected_keys
assert not unexpected, f"initial_head.safetensors does not fit {base_model}: {unexpected}"

if settings["tuning"] == "lora":
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    targets = settings["lora_target_modules"]
    lora = LoraConfig(
        task_type="SEQ_CLS",
        r=settings["lora_r"],
        lora_alpha=settings["lora_alpha"],
        target_modules=targets if targets == "all-linear" else targets.split(","),
    )
    model = get_peft_model(model, lora)
    # PEFT trains a copy of the classifier and saves it with the adapters.
    copied = {f"base_model.model.{name}": tensor for name, tensor in head.items() if name.startswith("classifier.")}
    unexpected = set_peft_model_state_dict(model, adapters | copied).unexpected_keys
    assert not unexpected, f"the adapters do not fit: {unexpected}"
elif settings["tuning"] == "head":
    model.base_model.requires_grad_(False)
else:
    if settings["freeze_layers"] or settings["freeze_embeddings"]:
        model.bert.embeddings.requires_grad_(False)
    for layer in model.bert.encoder.layer[: settings["freeze_layers"]]:
        layer.requires_grad_(False)
if is_mean:
    for name, parameter in model.named_parameters():
        if "pooler" in name.split("."):
            parameter.requires_grad_(False)

dropouts = [module.p for module in model.modules() if isinstance(module, torch.nn.Dropout) and module.p > 0]
if dropouts:
    say("PyTorch draws other dropout masks than the browser: the losses agree on average, not digit by digit.")


# The loss: the mean over all rows of an update, each weighted by its class.
class_weights = None
if settings["class_weight"] == "balanced":
    given = np.array([row["labels"] for row in train_rows])
    weights = compute_class_weight("balanced", classes=np.arange(len(labels)), y=given)
    class_weights = torch.tensor(weights, dtype=torch.float32)


def loss_of_rows(outputs, given, num_items_in_batch=None):
    weight = None if class_weights is None else class_weights.to(given.device)
    criterion = torch.nn.CrossEntropyLoss(weight, label_smoothing=settings["label_smoothing_factor"], reduction="sum")
    items = num_items_in_batch
    if items is None:
        items = len(given) if weight is None else weight[given].sum()
    return criterion(outputs.logits.float(), given) / items


class WeightedTrainer(Trainer):
    def _get_num_items_in_batch(self, batches, device):
        """The sum of the weights of all rows of an update."""
        if class_weights is None:
            return super()._get_num_items_in_batch(batches, device)
        total = sum(class_weights[batch["labels"].cpu()].sum() for batch in batches).to(device)
        return self.accelerator.gather(total).sum() if self.args.world_size > 1 else total


def metrics_of(prediction):
    predicted = prediction.predictions.argmax(-1)
    return {
        "accuracy": float((predicted == prediction.label_ids).mean()),
        "macro_f1": float(f1_score(prediction.label_ids, predicted, average="macro", zero_division=0)),
    }


# The arguments. transformers 5 has no warmup_ratio: a warmup_steps below 1 is a share of all steps.
has_gpu = torch.cuda.is_available()
if settings["fp16"] and not has_gpu:
    say("fp16 needs a GPU: this run computes in 32 bits.")
head_rate = settings["head_learning_rate"]
learning_rate = head_rate if settings["tuning"] == "head" and head_rate else settings["learning_rate"]
patience, keeps_best = settings["early_stopping_patience"], settings["load_best_model_at_end"]
arguments = TrainingArguments(
    output_dir=options.output_dir,
    num_train_epochs=settings["num_train_epochs"],
    max_steps=settings["max_steps"] or -1,
    per_device_train_batch_size=batch_size,
    per_device_eval_batch_size=settings["per_device_eval_batch_size"],
    gradient_accumulation_steps=accumulation,
    learning_rate=learning_rate,
    lr_scheduler_type=settings["lr_scheduler_type"],
    warmup_steps=settings["warmup_steps"] or min(settings["warmup_ratio"], 1 - 1e-9),
    weight_decay=settings["weight_decay"],
    max_grad_norm=settings["max_grad_norm"],
    adam_beta1=settings["adam_beta1"],
    adam_beta2=settings["adam_beta2"],
    adam_epsilon=settings["adam_epsilon"],
    optim="adamw_torch",
    gradient_checkpointing=settings["gradient_checkpointing"],
    fp16=settings["fp16"] and has_gpu,
    use_cpu=not has_gpu and not torch.backends.mps.is_available(),
    seed=settings["seed"],
    data_seed=settings["seed"],
    train_sampling_strategy="random" if settings["shuffle"] else "sequential",
    eval_strategy="epoch",
    save_strategy="epoch" if keeps_best or patience else settings.get("save_strategy", "no"),
    save_steps=settings.get("save_steps") or 500,
    save_total_limit=settings.get("save_total_limit") or None,
    load_best_model_at_end=keeps_best,
    metric_for_best_model=settings["metric_for_best_model"] if keeps_best or patience else None,
    logging_steps=1,
    label_names=["labels"],
    remove_unused_columns=False,
    report_to="none",
    ddp_find_unused_parameters=False,
)


def optimizer_with_groups():
    """AdamW with another learning rate for pooler and classifier (`head_learning_rate`)."""
    decaying = set(Trainer.get_decay_parameter_names(None, model))
    groups = []
    for is_head in (False, True):
        for decays in (True, False):
            chosen = [
                parameter
                for name, parameter in model.named_parameters()
                if parameter.requires_grad
                and (name in decaying) == decays
                and any(part in ("pooler", "classifier") for part in name.split(".")) == is_head
            ]
            if chosen:
                rate, decay = head_rate if is_head else learning_rate, arguments.weight_decay if decays else 0.0
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    betas = (arguments.adam_beta1, arguments.adam_beta2)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=arguments.adam_epsilon)


trainer = WeightedTrainer(
    model=model.to(arguments.device),
    args=arguments,
    train_dataset=train_rows,
    eval_dataset=eval_rows,
    processing_class=tokenizer,
    data_collator=DataCollatorWithPadding(tokenizer),
    compute_loss_func=loss_of_rows,
    compute_metrics=metrics_of,
    optimizers=(optimizer_with_groups() if head_rate else None, None),
    callbacks=[EarlyStoppingCallback(early_stopping_patience=patience)] if patience else [],
)
trainer.train()
say(f"On the test part: {trainer.evaluate(test_rows)}")
trainer.save_model()
trainer.save_state()


# The losses of the browser beside those of this run.
def losses(folder):
    state = json.loads((Path(folder) / "trainer_state.json").read_text(encoding="utf-8"))
    return [entry for entry in state["log_history"] if "loss" in entry]


if is_main:
    pairs = list(zip(losses(here), losses(options.output_dir)))
    for browser, now in pairs:
        print(f"step {now['step']}: loss {now['loss']:.6f}, in the browser {browser['loss']:.6f}")
    first_epoch = [abs(browser["loss"] - now["loss"]) for browser, now in pairs if now["epoch"] <= 1]
    if first_epoch:
        print(f"The losses of the first epoch differ by at most {max(first_epoch):.1e}.")
