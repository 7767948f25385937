//! Families of metrics: what they are called, of which kind they are, and what they mean.

/// A family of metrics: samples of one name that differ in their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    /// The name, without the suffix that the samples of its kind have.
    pub(super) name: &'static str,
    /// Its kind.
    pub(super) kind: Kind,
    /// What it means, in one sentence without quotes, backslashes and line breaks, which the forms would write differently.
    pub(super) help: &'static str,
}

/// A kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What may rise and fall.
    Gauge,
    /// What only rises.
    Counter,
    /// 1, with what there is to say in its labels. Only OpenMetrics has a word for it; elsewhere it is a gauge.
    Info,
    /// How many observations are in which bucket.
    Histogram,
}

impl Family {
    pub(super) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Gauge,
            help,
        }
    }

    pub(super) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            help,
        }
    }

    pub(super) const fn info(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Info,
            help,
        }
    }

    pub(super) const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Histogram,
            help,
        }
    }

    /// What the names of its samples end in.
    pub(super) const fn suffix(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        }
    }

    /// Its unit: the last word of the name, where that is one.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let (_, last) = self.name.rsplit_once('_')?;
        ["seconds", "bytes"].contains(&last).then_some(last)
    }
}
