//! What was measured, as numbers with names. Words are chosen by the model's data file and the report.

/// One measured number. Its name is that of a `[feature.NAME]` in model.toml.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    pub name: &'static str,
    /// What the model weighs; always finite, of the order of 1.
    pub value: f64,
    /// How many of how many, where it is a count.
    pub count: usize,
    pub of: usize,
}

/// Everything that was measured of a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    pub features: Vec<Feature>,
    /// What the measurements found beside the numbers: a rate, a format, a protocol.
    pub details: Details,
}

/// Facts that a cause is told with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The sender's rate that fits the unexplained bytes best.
    pub sender_baud: Option<f64>,
    /// The format that the faults, or the bytes' weights, point to.
    pub sender_format: Option<crate::line::Format>,
    /// The protocol that explains the bytes better.
    pub other_protocol: Option<super::others::Other>,
    /// Text that came where none was expected, at most a line.
    pub text: Option<String>,
    /// What refusals said.
    pub refusals: Vec<String>,
    /// The value that stands at the edges of replies.
    pub edge_byte: Option<u8>,
    /// Nobody answered: bytes sent, and how often the receiving wire moved all the same.
    pub silence: Option<(usize, usize)>,
    /// Own bytes come back so many character times later.
    pub echo_delay: Option<f64>,
}

impl Evidence {
    pub fn get(&self, name: &str) -> f64 {
        self.features.iter().find(|feature| feature.name == name).map_or(0.0, |feature| feature.value)
    }

    /// Adds a number that is no count.
    pub fn number(&mut self, name: &'static str, value: f64) {
        let value = if value.is_finite() { value.clamp(-6.0, 6.0) } else { 0.0 };
        self.features.push(Feature { name, value, count: 0, of: 0 });
    }

    /// Adds a share: `count` of `of`; 0 of nothing is 0.
    pub fn share(&mut self, name: &'static str, count: usize, of: usize) {
        let value = if of == 0 { 0.0 } else { count as f64 / of as f64 };
        self.features.push(Feature { name, value: value.clamp(0.0, 6.0), count, of });
    }

    /// Adds a count, weighed by its logarithm: the second one tells less than the first.
    pub fn count(&mut self, name: &'static str, count: usize) {
        self.features.push(Feature { name, value: (1.0 + count as f64).ln().min(6.0), count, of: 0 });
    }

    /// The same, where more than so many tell nothing more: no weight was fitted to longer conversations.
    pub fn count_up_to(&mut self, name: &'static str, count: usize, most: usize) {
        self.features.push(Feature { name, value: (1.0 + count.min(most) as f64).ln(), count, of: 0 });
    }

    /// Adds a logarithm of a likelihood ratio, in units of ten: beyond 40 more does not matter, and whatever is unlikelier than by 10 is out of
    /// the question, by however much; or a long capture would speak louder against it than anything for something else.
    pub fn ratio(&mut self, name: &'static str, log: f64, count: usize, of: usize) {
        let value = if log.is_finite() { (log / 10.0).clamp(-1.0, 4.0) } else { 0.0 };
        self.features.push(Feature { name, value, count, of });
    }
}
