//! TensorBoard's event file: [TFRecords][records] of [`Event`][event] messages.
//!
//! [records]: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
//! [event]: https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto

use super::fields;
use crate::train::History;
use prost::Message;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// The first event of a file.
const FILE_VERSION: &str = "brain.Event:2";

/// `tensorboard.Event`, as far as it is used.
#[derive(Message)]
pub(super) struct Event {
    /// Seconds.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    pub what: Option<What>,
}

#[derive(prost::Oneof)]
pub(super) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Scalar>,
}

/// `tensorboard.Summary.Value` with a number.
#[derive(Message)]
pub(super) struct Scalar {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
}

/// An event file that is being written.
pub(super) struct EventFile<'a> {
    writer: &'a mut dyn Write,
}

impl<'a> EventFile<'a> {
    /// Writes the first event.
    ///
    /// # Errors
    /// Those of `writer`.
    pub(super) fn new(writer: &'a mut dyn Write) -> io::Result<Self> {
        let mut file = Self { writer };
        file.event(0.0, 0, What::FileVersion(FILE_VERSION.into()))?;
        Ok(file)
    }

    /// Writes an event for each entry of the log.
    ///
    /// # Errors
    /// Those of the writer.
    pub(super) fn write(mut self, history: &History) -> io::Result<()> {
        let seconds_per_step = seconds_per_step(history)?;
        for entry in fields(history) {
            let mut entry = entry?;
            let step = entry.remove("step");
            let step = step.and_then(|step| step.as_i64()).unwrap_or(0);
            let summary = What::Summary(Summary {
                value: scalars(&entry).collect(),
            });
            self.event(seconds_per_step * step as f64, step, summary)?;
        }
        Ok(())
    }

    fn event(&mut self, wall_time: f64, step: i64, what: What) -> io::Result<()> {
        let event = Event {
            wall_time,
            step,
            what: Some(what),
        };
        let bytes = event.encode_to_vec();
        let len = (bytes.len() as u64).to_le_bytes();
        self.writer.write_all(&len)?;
        self.writer.write_all(&masked_crc(&len).to_le_bytes())?;
        self.writer.write_all(&bytes)?;
        self.writer.write_all(&masked_crc(&bytes).to_le_bytes())
    }
}

/// The seconds of the run divided by its updates; 0 for a run without a summary.
fn seconds_per_step(history: &History) -> io::Result<f64> {
    for entry in fields(history) {
        let entry = entry?;
        let number = |name: &str| entry.get(name).and_then(Value::as_f64);
        if let (Some(seconds), Some(steps)) = (number("train_runtime"), number("step")) {
            return Ok(seconds / steps.max(1.0));
        }
    }
    Ok(0.0)
}

/// The numbers of an entry under the names of `TensorBoardCallback`.
fn scalars(entry: &Map<String, Value>) -> impl Iterator<Item = Scalar> {
    entry.iter().filter_map(|(name, value)| {
        let tag = match name.strip_prefix("eval_") {
            Some(metric) => format!("eval/{metric}"),
            None => format!("train/{name}"),
        };
        let simple_value = Some(value.as_f64()? as f32);
        Some(Scalar { tag, simple_value })
    })
}

/// The checksum of TFRecords: CRC32C, rotated and moved, so that records inside of records have others.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{StepLog, TrainingArguments};

    /// A log of some updates.
    fn history(steps: usize) -> History {
        let mut history = History::new(&TrainingArguments::default(), 80);
        let log = |step| StepLog {
            epoch: step as f64 / 10.0,
            grad_norm: 1.5,
            learning_rate: 5e-5,
            loss: 0.25,
            step,
        };
        history.steps(&(1..=steps).map(log).collect::<Vec<_>>());
        history
    }

    /// The events of a file, whose checksums hold.
    fn read(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let (len, rest) = bytes.split_at(8);
            let (len_crc, rest) = rest.split_at(4);
            let size = u64::from_le_bytes(len.try_into().unwrap()) as usize;
            let (event, rest) = rest.split_at(size);
            let (crc, rest) = rest.split_at(4);
            assert_eq!(len_crc, masked_crc(len).to_le_bytes());
            assert_eq!(crc, masked_crc(event).to_le_bytes());
            events.push(Event::decode(event).unwrap());
            bytes = rest;
        }
        events
    }

    #[test]
    fn the_file_has_an_event_for_each_entry() {
        let mut bytes = Vec::new();
        EventFile::new(&mut bytes)
            .unwrap()
            .write(&history(3))
            .unwrap();
        let events = read(&bytes);
        assert_eq!(events.len(), 4);
        assert!(
            matches!(&events[0].what, Some(What::FileVersion(version)) if version == FILE_VERSION)
        );
        let Some(What::Summary(summary)) = &events[2].what else {
            panic!("{:?}", events[2]);
        };
        assert_eq!(events[2].step, 2);
        let found: Vec<_> = summary
            .value
            .iter()
            .map(|scalar| (scalar.tag.as_str(), scalar.simple_value.unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                ("train/epoch", 0.2),
                ("train/grad_norm", 1.5),
                ("train/learning_rate", 5e-5),
                ("train/loss", 0.25),
            ]
        );
    }

    #[test]
    fn the_checksum_is_that_of_tfrecords() {
        // The length of the first record of every event file of TensorFlow: 24 bytes.
        assert_eq!(masked_crc(&24u64.to_le_bytes()), 0x224b_7fa3);
    }
}
