//! The protobuf format: messages of `io.prometheus.client` (metrics.proto in prometheus/client_model), delimited.
//!
//! What is here are parts of those messages. A message that is written behind another is one with the fields of both, so that
//! the labels of a target are encoded once, and a family's metrics as they come.

use prost::Message;

use super::family::{Family, Kind};

/// Upper edges of native buckets are powers of 2^(2^-3).
const SCHEMA: i32 = 3;
/// What is below counts as zero: 2^-128, as in Prometheus' own libraries. A handshake never is.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;
/// The field `metric` of a `MetricFamily`: number 4, of the wire type that says its length (2).
const METRIC: u8 = 4 << 3 | 2;

/// Appends the labels of a `Metric`.
pub(super) fn labels<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, out: &mut Vec<u8>) {
    let pair = |(name, value): (&str, &str)| LabelPair {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let labelled = Labelled {
        label: pairs.into_iter().map(pair).collect(),
    };
    append(&labelled, out);
}

/// Appends a `Metric` to those of its family: labels that [`labels`] made, and a value.
pub(super) fn metric<'a>(
    labels: impl IntoIterator<Item = &'a [u8]> + Clone,
    value: &Valued,
    out: &mut Vec<u8>,
) {
    let length = labels.clone().into_iter().map(<[u8]>::len).sum::<usize>() + value.encoded_len();
    out.push(METRIC);
    delimiter(length, out);
    for part in labels {
        out.extend_from_slice(part);
    }
    append(value, out);
}

/// Appends a delimited `MetricFamily` with metrics that [`metric`] made.
pub(super) fn family(family: &Family, metrics: &[u8], out: &mut Vec<u8>) {
    let head = Head {
        name: format!("{}{}", family.name, family.suffix()),
        help: family.help.to_owned(),
        kind: match family.kind {
            Kind::Counter => 0,
            Kind::Gauge | Kind::Info => 1,
            Kind::Histogram => 4,
        },
        unit: family.unit().map(str::to_owned),
    };
    let length = head.encoded_len() + metrics.len();
    out.reserve(length + 10);
    delimiter(length, out);
    append(&head, out);
    out.extend_from_slice(metrics);
}

/// A `Metric` without its labels.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Valued {
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

impl Valued {
    pub(super) fn gauge(value: f64) -> Self {
        Self {
            gauge: Some(Number { value }),
            ..Self::default()
        }
    }

    pub(super) fn counter(value: f64) -> Self {
        Self {
            counter: Some(Number { value }),
            ..Self::default()
        }
    }

    /// With classic buckets, and native ones where there are such.
    pub(super) fn histogram(edges: &[f64], buckets: &[u64], sum: f64, native: Option<&[(i32, u64)]>) -> Self {
        let mut below = 0;
        let bucket = |(upper_bound, count): (f64, &u64)| {
            below += count;
            Bucket {
                cumulative_count: below,
                upper_bound,
            }
        };
        let edges = edges.iter().copied().chain([f64::INFINITY]);
        let bucket = edges.zip(buckets).map(bucket).collect();
        let (positive_span, positive_delta) = spans(native.unwrap_or_default());
        Self {
            histogram: Some(Histogram {
                sample_count: below,
                sample_sum: sum,
                bucket,
                schema: native.map(|_| SCHEMA),
                zero_threshold: native.map(|_| ZERO_THRESHOLD),
                positive_span,
                positive_delta,
            }),
            ..Self::default()
        }
    }
}

/// Runs of buckets without a gap, and the difference of each bucket's count to that of the bucket before it.
fn spans(native: &[(i32, u64)]) -> (Vec<BucketSpan>, Vec<i64>) {
    let mut spans: Vec<BucketSpan> = Vec::new();
    let mut deltas = Vec::with_capacity(native.len());
    let (mut next, mut before) = (0, 0);
    for (index, count) in native {
        match spans.last_mut() {
            Some(span) if *index == next => span.length += 1,
            _ => spans.push(BucketSpan {
                offset: index - next,
                length: 1,
            }),
        }
        let count = count.cast_signed();
        deltas.push(count - before);
        (next, before) = (index + 1, count);
    }
    (spans, deltas)
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(string, required, tag = "2")]
    value: String,
}

/// A `Metric` without its value.
#[derive(Clone, PartialEq, Message)]
struct Labelled {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
}

/// A `Gauge` or a `Counter`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Number {
    #[prost(double, required, tag = "1")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, required, tag = "1")]
    sample_count: u64,
    #[prost(double, required, tag = "2")]
    sample_sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, required, tag = "1")]
    cumulative_count: u64,
    #[prost(double, required, tag = "2")]
    upper_bound: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct BucketSpan {
    #[prost(sint32, required, tag = "1")]
    offset: i32,
    #[prost(uint32, required, tag = "2")]
    length: u32,
}

/// A `MetricFamily` without its metrics.
#[derive(Clone, PartialEq, Eq, Message)]
struct Head {
    #[prost(string, required, tag = "1")]
    name: String,
    #[prost(string, required, tag = "2")]
    help: String,
    /// `MetricType`.
    #[prost(int32, required, tag = "3")]
    kind: i32,
    #[prost(string, optional, tag = "5")]
    unit: Option<String>,
}

fn append(message: &impl Message, out: &mut Vec<u8>) {
    let written = message.encode(out);
    debug_assert!(written.is_ok(), "a vector takes everything");
}

fn delimiter(length: usize, out: &mut Vec<u8>) {
    let written = prost::encode_length_delimiter(length, out);
    debug_assert!(written.is_ok(), "a vector takes everything");
}
