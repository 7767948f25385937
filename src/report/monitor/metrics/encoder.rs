//! Samples in each of the forms. The text formats are described in Prometheus' "Exposition formats" and in OpenMetrics 1.0.0.

use std::io::Write;
use std::mem;

use super::Exposition;
use super::family::{Family, Kind};
use super::protobuf;

/// Writes families, one after the other, in one form.
#[derive(Debug)]
pub(super) struct Encoder {
    form: Exposition,
    out: Vec<u8>,
    open: Option<Family>,
    /// The metrics of the open family, in the protobuf form.
    metrics: Vec<u8>,
    has_samples: bool,
}

/// Labels in the shape of a form, to be copied into many samples.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels(Box<[u8]>);

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A count.
    Count(u64),
    /// Another number.
    Number(f64),
}

/// How many observations there are, and of what size.
#[derive(Debug)]
pub(super) struct Histogram<'a> {
    /// The upper edges.
    pub(super) edges: &'a Edges,
    /// How many are in each bucket (not summed up): one for each edge, then those beyond the last.
    pub(super) buckets: &'a [u64],
    /// All observations together.
    pub(super) sum: f64,
    /// Buckets of a native histogram of schema 3, by index, where there are such.
    pub(super) native: Option<&'a [(i32, u64)]>,
}

/// The upper edges of a histogram, and the label that each of them is.
#[derive(Debug)]
pub(super) struct Edges {
    numbers: &'static [f64],
    labels: Vec<Labels>,
    infinite: Labels,
}

impl Encoder {
    pub(super) fn new(form: Exposition) -> Self {
        Self {
            form,
            out: Vec::new(),
            open: None,
            metrics: Vec::new(),
            has_samples: false,
        }
    }

    /// Labels for [`Self::sample`].
    pub(super) fn labels<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Labels {
        let mut out = Vec::new();
        match self.form {
            Exposition::Text | Exposition::OpenMetrics => {
                for (name, value) in pairs {
                    if !out.is_empty() {
                        out.push(b',');
                    }
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b"=\"");
                    escape(value, &mut out);
                    out.push(b'"');
                }
            }
            Exposition::Protobuf => protobuf::labels(pairs, &mut out),
        }
        Labels(out.into())
    }

    /// Edges for [`Histogram`].
    pub(super) fn edges(&self, numbers: &'static [f64]) -> Edges {
        let label = |edge: &f64| {
            // OpenMetrics wants 1 as 1.0, in this place alone.
            let edge = match self.form {
                Exposition::OpenMetrics => format!("{edge:?}"),
                Exposition::Text | Exposition::Protobuf => edge.to_string(),
            };
            self.labels([("le", edge.as_str())])
        };
        Edges {
            numbers,
            labels: numbers.iter().map(label).collect(),
            infinite: self.labels([("le", "+Inf")]),
        }
    }

    /// What follows are samples of this family. One without samples leaves no trace.
    pub(super) fn begin(&mut self, family: Family) {
        self.end();
        self.open = Some(family);
        self.has_samples = false;
    }

    /// A sample of the family that was begun last; its labels are those of all `parts` together.
    pub(super) fn sample(&mut self, parts: &[&Labels], value: Value) {
        let Some(family) = self.head() else {
            return;
        };
        match self.form {
            Exposition::Text | Exposition::OpenMetrics => self.line(family, family.suffix(), parts, value),
            Exposition::Protobuf => {
                let value = match family.kind {
                    Kind::Counter => protobuf::Valued::counter(value.number()),
                    Kind::Gauge | Kind::Info | Kind::Histogram => protobuf::Valued::gauge(value.number()),
                };
                protobuf::metric(parts.iter().map(|part| &*part.0), &value, &mut self.metrics);
            }
        }
    }

    /// A histogram of the family that was begun last.
    pub(super) fn histogram(&mut self, labels: &Labels, histogram: &Histogram<'_>) {
        let Some(family) = self.head() else {
            return;
        };
        match self.form {
            Exposition::Text | Exposition::OpenMetrics => {
                let mut below = 0;
                let all = histogram.edges.labels.iter().chain([&histogram.edges.infinite]);
                for (edge, count) in all.zip(histogram.buckets) {
                    below += count;
                    self.line(family, "_bucket", &[labels, edge], Value::Count(below));
                }
                self.line(family, "_sum", &[labels], Value::Number(histogram.sum));
                self.line(family, "_count", &[labels], Value::Count(below));
            }
            Exposition::Protobuf => {
                let value = protobuf::Valued::histogram(
                    histogram.edges.numbers,
                    histogram.buckets,
                    histogram.sum,
                    histogram.native,
                );
                protobuf::metric([&*labels.0], &value, &mut self.metrics);
            }
        }
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self) {
        self.end();
        match self.form {
            Exposition::OpenMetrics => self.out.extend_from_slice(b"# EOF\n"),
            Exposition::Text | Exposition::Protobuf => {}
        }
    }

    /// How much is ready to be taken.
    pub(super) fn ready(&self) -> usize {
        self.out.len()
    }

    /// Takes what is ready.
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.out)
    }

    /// The open family, whose head is written with its first sample.
    fn head(&mut self) -> Option<Family> {
        let family = self.open?;
        if mem::replace(&mut self.has_samples, true) {
            return Some(family);
        }
        let Family { name, help, .. } = family;
        let suffix = family.suffix();
        let kind = match (family.kind, self.form) {
            (Kind::Info, Exposition::OpenMetrics) => "info",
            (Kind::Gauge | Kind::Info, _) => "gauge",
            (Kind::Counter, _) => "counter",
            (Kind::Histogram, _) => "histogram",
        };
        let written = match self.form {
            Exposition::Text => write!(
                self.out,
                "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"
            ),
            Exposition::OpenMetrics => {
                let unit = family.unit().map(|unit| format!("# UNIT {name} {unit}\n"));
                let unit = unit.unwrap_or_default();
                write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{unit}")
            }
            Exposition::Protobuf => Ok(()),
        };
        debug_assert!(written.is_ok(), "a vector takes everything");
        Some(family)
    }

    fn end(&mut self) {
        let Some(family) = self.open.take() else {
            return;
        };
        if self.form == Exposition::Protobuf && self.has_samples {
            protobuf::family(&family, &self.metrics, &mut self.out);
            self.metrics.clear();
        }
    }

    fn line(&mut self, family: Family, suffix: &str, parts: &[&Labels], value: Value) {
        let out = &mut self.out;
        out.extend_from_slice(family.name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        let mut before = b'{';
        for Labels(part) in parts.iter().copied().filter(|part| !part.0.is_empty()) {
            out.push(mem::replace(&mut before, b','));
            out.extend_from_slice(part);
        }
        if before == b',' {
            out.push(b'}');
        }
        let written = match value {
            Value::Count(count) => writeln!(out, " {count}"),
            Value::Number(number) if number.is_finite() => writeln!(out, " {number}"),
            Value::Number(number) if number.is_nan() => writeln!(out, " NaN"),
            Value::Number(number) if number > 0.0 => writeln!(out, " +Inf"),
            Value::Number(_) => writeln!(out, " -Inf"),
        };
        debug_assert!(written.is_ok(), "a vector takes everything");
    }
}

impl Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count beyond 2^53 is none that we live to see"
    )]
    fn number(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Number(number) => number,
        }
    }
}

/// As both text formats want the values of labels.
fn escape(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\n' => out.extend_from_slice(b"\\n"),
            other => out.push(other),
        }
    }
}
