//! A recorder of `metrics` that keeps every figure.

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A recorder that keeps every figure; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Figures(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Counters and gauges, by `name{label=value}`.
    values: BTreeMap<String, f64>,
    /// What histograms were given.
    samples: BTreeMap<String, Vec<f64>>,
    described: BTreeMap<String, String>,
}

impl Figures {
    /// What `make` makes keeps to this recorder.
    pub fn during<T>(&self, make: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(self, make)
    }

    /// The value of a counter or a gauge: `name{label=value}`; 0 where nothing was told.
    pub fn value(&self, of: &str) -> f64 {
        self.0.lock().unwrap().values.get(of).copied().unwrap_or_default()
    }

    /// What a histogram was given.
    pub fn samples(&self, of: &str) -> Vec<f64> {
        self.0.lock().unwrap().samples.get(of).cloned().unwrap_or_default()
    }

    /// The names that were asked for or described.
    pub fn names(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap();
        let asked = kept.values.keys().chain(kept.samples.keys());
        asked.map(|key| key.split('{').next().unwrap().to_owned()).collect()
    }

    /// The names that were described.
    pub fn described(&self) -> Vec<String> {
        self.0.lock().unwrap().described.keys().cloned().collect()
    }

    fn figure(&self, key: &Key, is_histogram: bool) -> Arc<Figure> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        let mut kept = self.0.lock().unwrap();
        if is_histogram {
            kept.samples.entry(name.clone()).or_default();
        } else {
            kept.values.entry(name.clone()).or_default();
        }
        Arc::new(Figure { name, figures: self.clone() })
    }

    fn describe(&self, name: &KeyName, description: &SharedString) {
        let mut kept = self.0.lock().unwrap();
        kept.described.insert(name.as_str().to_owned(), description.to_string());
    }
}

#[derive(Debug)]
struct Figure {
    name: String,
    figures: Figures,
}

impl Figure {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.figures.0.lock().unwrap().values.entry(self.name.clone()).or_default());
    }
}

impl CounterFn for Figure {
    fn increment(&self, by: u64) {
        self.change(|value| *value += by as f64);
    }

    fn absolute(&self, to: u64) {
        self.change(|value| *value = to as f64);
    }
}

impl GaugeFn for Figure {
    fn increment(&self, by: f64) {
        self.change(|value| *value += by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| *value -= by);
    }

    fn set(&self, to: f64) {
        self.change(|value| *value = to);
    }
}

impl HistogramFn for Figure {
    fn record(&self, sample: f64) {
        self.figures.0.lock().unwrap().samples.entry(self.name.clone()).or_default().push(sample);
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key, false))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key, false))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.figure(key, true))
    }
}
