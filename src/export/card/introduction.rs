//! Title, summary, how to load the model, and what it is for.

use super::Content;
use super::words::{inline, join};
use crate::bert::ClassifierPooling;

/// How the model is loaded.
const FROM_PRETRAINED: &str = r#"
```python
from transformers import pipeline

classifier = pipeline("text-classification", model="path/to/this/folder")
classifier("…")
```
"#;

/// How a model is loaded whose classifier gets the mean of the hidden states, which transformers' BERT does not know.
const MEAN_POOLED: &str = r#"
Its classifier gets the mean of the last hidden states (`classifier_pooling: "mean"` in `config.json`). transformers'
`BertForSequenceClassification` does not know this: the weights load without an error, but the predictions are wrong.
Load it with this class:

```python
from transformers import AutoTokenizer, BertForSequenceClassification, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

class MeanPooledBert(BertForSequenceClassification):
    def forward(self, input_ids, attention_mask, token_type_ids=None, **kwargs):
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))

folder = "path/to/this/folder"
model, tokenizer = MeanPooledBert.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
# The pipeline prints that it does not know this class; its results are right.
classifier = pipeline("text-classification", model=model, tokenizer=tokenizer)
classifier("…")
```
"#;

/// Title, summary, and how to load the model.
pub(super) fn section(content: &Content<'_>) -> String {
    let labels = content.labels.iter();
    let mut text = format!(
        "# {}\n\nA text classifier: `{}`, fine-tuned in a browser tab with webtune {}. It tells {} apart.\n",
        inline(content.card.name),
        content.card.base_model,
        env!("CARGO_PKG_VERSION"),
        join(labels.map(|label| format!("*{}*", inline(label))))
    );
    text += match content.pooling {
        ClassifierPooling::Cls => FROM_PRETRAINED,
        ClassifierPooling::Mean => MEAN_POOLED,
    };
    if content.has_adapter_folder {
        text += &format!(
            r#"
It was trained with LoRA: the adapters are merged into the weights, and `adapter/` has them alone, for PEFT:

```python
from peft import AutoPeftModelForSequenceClassification

folder = "path/to/this/folder/adapter"
model = AutoPeftModelForSequenceClassification.from_pretrained(folder, num_labels={})
```
"#,
            content.labels.len()
        );
    }
    text
}

/// What the model is for, and where it is not to be relied on.
pub(super) fn uses(content: &Content<'_>) -> String {
    let labels = content.labels.len();
    format!(
        "## Intended use and limits\n\nIt is meant for texts like those of its training part, one at a time. It \
         answers with one of {labels} labels whatever the text is: a text of another language, topic or kind gets a \
         label too. Texts of more than {} tokens are cut off. Its probabilities are not calibrated. It has learned \
         whatever the rows and the base model contain, their errors and prejudices included; look at its answers \
         before anything depends on them.\n",
        content.settings["max_length"]
    )
}
