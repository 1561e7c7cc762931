//! The forward model, when it is not known what was sent: the exact probability of each received word.
//!
//! A sender of random data, at a rate and in a format, is heard by a receiver at another rate, 8N1 or of another format. Every edge to
//! space on which the receiver can start lies on one of the sender's bit boundaries, and the bits behind it are still free; so the hidden
//! state where a received character begins is *(boundary, parity so far)*, a handful. From there the sample times are fixed, and the sender's
//! state at each is *(when its character began, its bit, its parity)*: counted from the origin these do not move, only a gap between
//! two characters moves mass. Between two samples the mass goes through one sparse matrix for each level that can be read; a tree over
//! the words multiplies them. What the sender is at a start follows from the chain of starts. Only the length of a gap is rounded, to a
//! quarter of a bit. Monte Carlo with [`super::Transmitter`] and [`super::Receiver`] is the test.

use crate::line::{Format, Parity};

/// What is assumed of the sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    pub format: Format,
    pub inverted: bool,
    /// Edges to mark come later by this part of a bit time.
    pub late_mark: f64,
    /// The probability of a 1 for each data bit, lowest first.
    pub ones: [f64; 9],
    /// The part of characters that are followed by a gap.
    pub gaps: f64,
    /// Mean length of a gap in bit times; its length is exponential.
    pub gap_bits: f64,
}

impl Source {
    /// Random bytes; three of ten characters are followed by a gap of five bits on average.
    pub fn random(format: Format) -> Source {
        Source { format, inverted: false, late_mark: 0.0, ones: [0.5; 9], gaps: 0.3, gap_bits: 5.0 }
    }

    /// Binary fields: small numbers and zeros are commoner than large ones.
    pub fn fields(format: Format) -> Source {
        Source { ones: [0.42, 0.4, 0.38, 0.35, 0.28, 0.25, 0.25, 0.2, 0.0], ..Source::random(format) }
    }

    /// Bits set as often as in printable text.
    pub fn text(format: Format) -> Source {
        Source { ones: [0.5, 0.42, 0.5, 0.4, 0.4, 0.75, 0.7, 0.0, 0.0], ..Source::random(format) }
    }
}

/// A probability for each word: the byte, plus 256 when a fault is reported (the stop bit is low, or parity is wrong where it is checked).
pub type Words = [f32; 512];

/// The slowest and fastest receiver, in sender rates, for which [`words`] is exact; beyond, it answers for the border.
pub const RATIOS: std::ops::RangeInclusive<f64> = 0.16..=12.0;

/// The probability of each word that an 8N1 receiver at `ratio` times the sender's rate receives.
///
/// It finds an edge half a tick late, the mean of a receiver that looks sixteen times a bit.
pub fn words(source: &Source, ratio: f64) -> Words {
    words_as(source, Format::N8, ratio)
}

/// The same for a receiver of another format: of nine data bits the highest is not told.
pub fn words_as(source: &Source, receiver: Format, ratio: f64) -> Words {
    words_seen(source, receiver, ratio, 1.0 / 32.0)
}

/// The same for a receiver that finds an edge `late` of its bit times after it was.
fn words_seen(source: &Source, receiver: Format, ratio: f64, late: f64) -> Words {
    let ratio = if ratio.is_nan() { 1.0 } else { ratio.clamp(*RATIOS.start(), *RATIOS.end()) };
    let model = Model::new(source, receiver, ratio, late);
    let origins = model.origins();
    let starts = model.stationary(&origins);
    model.tree(&origins, &starts)
}

/// Lanes of a character's start: bit, reading and parity.
const LANES: usize = 8;

/// The sender at a sample: bit values as 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    /// When its character began, in cells from the origin of time; `None` while it rests.
    began: Option<i32>,
    bit: usize,
    /// The level that was read, before inversion; differs from `bit` while a late edge is on its way.
    read: usize,
    parity: usize,
}

/// Where a received character begins: at this boundary of the sender's character, with this parity of the data so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    boundary: usize,
    parity: usize,
}

struct Model<'a> {
    source: &'a Source,
    /// Cells of time a bit.
    cells: f64,
    length: f64,
    data: usize,
    has_parity: bool,
    /// What the receiver takes for data, and what it checks behind them.
    heard_data: usize,
    heard_parity: Parity,
    /// Sample times in bits from the boundary of the origin: the start bit, the data, parity where it is checked, the stop bit.
    times: Vec<f64>,
    /// Per sample: the states that can be, their index by (slot, lane), and the moves into the next sample.
    levels: Vec<Layer>,
    first_slot: i32,
}

/// The states that can be at one sample, and how they come from those of the sample before.
struct Layer {
    states: Vec<State>,
    /// For a low and for a high reading: (from, to, probability).
    moves: [Vec<(u32, u32, f32)>; 2],
}

impl<'a> Model<'a> {
    fn new(source: &'a Source, receiver: Format, ratio: f64, late: f64) -> Model<'a> {
        let heard_data = receiver.data.count() as usize;
        let samples = 2 + heard_data + usize::from(receiver.parity != Parity::None);
        let shift = if source.inverted { source.late_mark } else { 0.0 };
        let mut model = Model {
            source,
            cells: if ratio < 0.8 { 2.0 } else { 4.0 },
            length: source.format.bits(),
            data: source.format.data.count() as usize,
            has_parity: source.format.parity.bit(0).is_some(),
            heard_data,
            heard_parity: receiver.parity,
            times: (0..samples).map(|k| (k as f64 + 0.5 + late) / ratio + shift).collect(),
            levels: Vec::with_capacity(samples),
            first_slot: 0,
        };
        model.first_slot = -((model.length * model.cells) as i32) - 1;
        let mut states: Vec<State> = model.origins().into_iter().map(|o| model.at_origin(o)).collect();
        let mut before = 0.0_f64.min(model.times[0]);
        for k in 0..samples {
            let layer = model.layer(&states, before, model.times[k]);
            states.clone_from(&layer.states);
            model.levels.push(layer);
            before = model.times[k];
        }
        model
    }

    /// All places at which a received character can begin.
    fn origins(&self) -> Vec<Origin> {
        let boundaries = if self.source.inverted { 1..=self.stop() } else { 0..=self.stop() - 1 };
        let parities = if self.has_parity { 2 } else { 1 };
        boundaries.flat_map(|boundary| (0..parities).map(move |parity| Origin { boundary, parity })).collect()
    }

    fn at_origin(&self, origin: Origin) -> State {
        let bit = usize::from(self.source.inverted);
        let began = -(origin.boundary as i32) * self.cells as i32;
        State { began: Some(began), bit, read: bit, parity: origin.parity }
    }

    /// The place of the stop bit.
    fn stop(&self) -> usize {
        1 + self.data + usize::from(self.has_parity)
    }

    /// The probability that the bit at `place` is a 1, given the parity of the data before it.
    fn one(&self, place: usize, parity: usize) -> f64 {
        if place == 0 {
            0.0
        } else if place <= self.data {
            self.source.ones[place - 1]
        } else if place < self.stop() {
            let bit = self.source.format.parity.bit(parity as u16);
            f64::from(u8::from(bit.unwrap_or(true)))
        } else {
            1.0
        }
    }

    fn parity_after(&self, place: usize, parity: usize, bit: usize) -> usize {
        if self.has_parity && (1..=self.data).contains(&place) { parity ^ bit } else { parity }
    }

    /// The bit that decides the level at `secs` bits into a character, and whether it is read with its neighbour.
    fn place(&self, into: f64) -> (usize, Zone) {
        let place = into.floor();
        let part = into - place;
        let place = (place as usize).min(self.stop());
        let late = self.source.late_mark;
        let in_stop_body = into >= self.stop() as f64 + late.max(0.0);
        if in_stop_body {
            (self.stop(), Zone::Body)
        } else if late > 0.0 && part < late && place > 0 {
            (place, Zone::Late)
        } else if late < 0.0 && part > 1.0 + late && place < self.stop() {
            (place + 1, Zone::Early)
        } else {
            (place, Zone::Body)
        }
    }

    /// Where mass goes from `states` between two times, split by what is read at the second.
    fn layer(&self, states: &[State], before: f64, now: f64) -> Layer {
        let mut layer = Layer { states: Vec::new(), moves: [Vec::new(), Vec::new()] };
        let slots = ((now + self.length) * self.cells) as usize + 4;
        let mut index = vec![u32::MAX; slots * LANES + 1];
        for (from, state) in states.iter().enumerate() {
            self.after_state(*state, before, now, &mut |to: State, probability: f64| {
                if probability <= 1e-12 {
                    return;
                }
                let lane = to.bit | to.read << 1 | to.parity << 2;
                let key = to.began.map_or(0, |began| 1 + (began - self.first_slot) as usize * LANES + lane);
                let Some(id) = index.get_mut(key) else { return };
                if *id == u32::MAX {
                    *id = layer.states.len() as u32;
                    layer.states.push(to);
                }
                let level = to.read ^ usize::from(self.source.inverted);
                layer.moves[level].push((from as u32, *id, probability as f32));
            });
        }
        layer
    }

    fn after_state(&self, state: State, before: f64, now: f64, put: &mut dyn FnMut(State, f64)) {
        let Some(began) = state.began else {
            return self.after_rest(before, now, 1.0, put);
        };
        let start = f64::from(began) / self.cells;
        if now - start < self.length {
            let (place, _) = self.place((before - start).max(0.0));
            return self.within(began, place, state, now, 1.0, put);
        }
        let end = start + self.length;
        let next = (end * self.cells).round() as i32;
        self.after_start(next, now, 1.0 - self.source.gaps, put);
        self.after_rest(end, now, self.source.gaps, put);
    }

    /// A line at rest from `since` on: it stays so, or a character begins in one of the cells.
    fn after_rest(&self, since: f64, now: f64, mass: f64, put: &mut dyn FnMut(State, f64)) {
        let decay = |span: f64| (-span / self.source.gap_bits).exp();
        let mut at = since;
        let mut cell = (since * self.cells).floor() as i32 + 1;
        let mut left = mass;
        loop {
            let end = f64::from(cell) / self.cells;
            if end > now {
                break;
            }
            let stays = left * decay(end - at);
            self.after_start(cell, now, left - stays, put);
            (left, at, cell) = (stays, end, cell + 1);
        }
        put(State { began: None, bit: 1, read: 1, parity: 0 }, left);
    }

    fn after_start(&self, cell: i32, now: f64, mass: f64, put: &mut dyn FnMut(State, f64)) {
        let start = State { began: Some(cell), bit: 0, read: 0, parity: 0 };
        self.within(cell, 0, start, now, mass, put);
    }

    /// From the bit at `place` to the one that is read at `now` in the same character.
    fn within(
        &self,
        began: i32,
        place: usize,
        state: State,
        now: f64,
        mass: f64,
        put: &mut dyn FnMut(State, f64),
    ) {
        let into = (now - f64::from(began) / self.cells).max(0.0);
        let (target, zone) = self.place(into);
        if target <= place {
            // Still the same bit. In a late edge's way the reading stays what it was; an early one has been walked into.
            let read = if zone == Zone::Late { state.read } else { state.bit };
            return put(State { began: Some(began), read, ..state }, mass);
        }
        // (bit before, bit, parity) -> mass
        let mut walk = [[[0.0; 2]; 2]; 2];
        walk[1][state.bit][state.parity] = mass;
        for next in place + 1..=target {
            let mut then = [[[0.0; 2]; 2]; 2];
            for old in 0..2 {
                for parity in 0..2 {
                    let mass = walk[0][old][parity] + walk[1][old][parity];
                    if mass == 0.0 {
                        continue;
                    }
                    let one = self.one(next, parity);
                    then[old][0][self.parity_after(next, parity, 0)] += mass * (1.0 - one);
                    then[old][1][self.parity_after(next, parity, 1)] += mass * one;
                }
            }
            walk = then;
        }
        for (old, bits) in walk.iter().enumerate() {
            for (bit, parities) in bits.iter().enumerate() {
                for (parity, mass) in parities.iter().enumerate() {
                    let read = match zone {
                        Zone::Body => bit,
                        Zone::Late => bit & old,
                        Zone::Early => bit | old,
                    };
                    if *mass > 0.0 {
                        put(State { began: Some(began), bit, read, parity }, *mass);
                    }
                }
            }
        }
    }

    /// Where the next start is found, from the state at a sample at `now`.
    fn next_start(&self, state: State, now: f64, mass: f64, put: &mut dyn FnMut(Origin, f64)) {
        let flip = usize::from(self.source.inverted);
        let mut walk = [[0.0; 2]; 2]; // (level before, parity) -> mass
        let mut first = 0;
        if let Some(began) = state.began {
            let place = self.place((now - f64::from(began) / self.cells).max(0.0)).0;
            if state.read != state.bit && state.bit ^ flip == 0 {
                return put(Origin { boundary: place, parity: state.parity }, mass);
            }
            walk[state.bit ^ flip][state.parity] = mass;
            first = place + 1;
        } else {
            walk[1 ^ flip][0] = mass;
        }
        // To the end of this character, then through the next; there is a start in each.
        for place in (first..=self.stop()).chain(0..=self.stop()) {
            if place == 0 {
                for level in &mut walk {
                    *level = [level[0] + level[1], 0.0];
                }
            }
            let mut then = [[0.0; 2]; 2];
            for (level, parities) in walk.iter().enumerate() {
                for (parity, mass) in parities.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
                    let one = self.one(place, parity);
                    for (bit, part) in [(0, 1.0 - one), (1, one)].into_iter().filter(|(_, part)| *part > 0.0)
                    {
                        let parity = self.parity_after(place, parity, bit);
                        if level == 1 && bit ^ flip == 0 {
                            put(Origin { boundary: place, parity }, mass * part);
                        } else {
                            then[bit ^ flip][parity] += mass * part;
                        }
                    }
                }
            }
            walk = then;
        }
    }

    /// How often a received character begins at each origin, rejected starts included.
    fn stationary(&self, origins: &[Origin]) -> Vec<f64> {
        let count = origins.len();
        let place = |origin: Origin| origins.iter().position(|o| *o == origin);
        let ends: Vec<Vec<(usize, f64)>> = [0, self.levels.len() - 1]
            .into_iter()
            .flat_map(|k| {
                let states = self.levels[k].states.iter();
                states.map(move |state| {
                    let mut row = Vec::new();
                    self.next_start(*state, self.times[k], 1.0, &mut |origin, mass| {
                        row.extend(place(origin).map(|to| (to, mass)));
                    });
                    row
                })
            })
            .collect();
        let after_first = self.levels[0].states.len();
        let mut chain = vec![vec![0.0; count]; count];
        for (from, row) in chain.iter_mut().enumerate() {
            let mut mass = vec![0.0; after_first];
            for (level, moves) in self.levels[0].moves.iter().enumerate() {
                for (_, to, probability) in moves.iter().filter(|m| m.0 as usize == from) {
                    let probability = f64::from(*probability);
                    if level == 0 {
                        mass[*to as usize] += probability;
                    } else {
                        ends[*to as usize].iter().for_each(|(to, part)| row[*to] += probability * part);
                    }
                }
            }
            for layer in &self.levels[1..] {
                let mut then = vec![0.0; layer.states.len()];
                for (from, to, probability) in layer.moves.iter().flatten() {
                    then[*to as usize] += mass[*from as usize] * f64::from(*probability);
                }
                mass = then;
            }
            for (state, mass) in mass.iter().enumerate() {
                ends[after_first + state].iter().for_each(|(to, part)| row[*to] += mass * part);
            }
        }
        let mut starts = vec![1.0 / count as f64; count];
        for _ in 0..200 {
            let mut then = vec![0.0; count];
            for (from, row) in chain.iter().enumerate() {
                for (to, probability) in row.iter().enumerate() {
                    then[to] += starts[from] * probability;
                }
            }
            // Half of the old one: a chain that only swaps two states settles too.
            let total: f64 = then.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            let moved: f64 = then.iter().zip(&starts).map(|(a, b)| (a / total - b).abs()).sum();
            starts = then.iter().zip(&starts).map(|(a, b)| 0.5 * (a / total + b)).collect();
            if moved < 1e-7 {
                break;
            }
        }
        starts
    }

    /// The tree over the words: one vector of masses a level, pruned where nothing is left.
    fn tree(&self, origins: &[Origin], starts: &[f64]) -> Words {
        let mut words = [0.0; 512];
        let mut masses: Vec<Vec<f32>> =
            self.levels.iter().map(|layer| vec![0.0; layer.states.len()]).collect();
        for (from, to, probability) in &self.levels[0].moves[0] {
            if (*from as usize) < origins.len() {
                masses[0][*to as usize] += starts[*from as usize] as f32 * probability;
            }
        }
        self.branch(1, 0, &mut masses, &mut words);
        let total: f32 = words.iter().sum();
        if total > 0.0 {
            words.iter_mut().for_each(|word| *word /= total);
        }
        words
    }

    /// The word with what is read at a level: one more data bit, or whether parity is wrong. A ninth data bit is not told.
    fn longer(&self, word: usize, level: usize, reading: usize) -> usize {
        if level <= self.heard_data.min(8) {
            return word | reading << (level - 1);
        }
        let expected = self.heard_parity.bit(word as u16).map(usize::from);
        let wrong = level > self.heard_data && expected.is_some_and(|expected| expected != reading);
        word | usize::from(wrong) << 8
    }

    fn branch(&self, level: usize, word: usize, masses: &mut [Vec<f32>], words: &mut Words) {
        let layer = &self.levels[level];
        for (reading, moves) in layer.moves.iter().enumerate() {
            let (before, now) = masses.split_at_mut(level);
            let (before, now) = (&before[level - 1], &mut now[0]);
            if level + 1 == self.levels.len() {
                let mass: f32 = moves.iter().map(|(from, _, part)| before[*from as usize] * part).sum();
                words[word & 0xFF | (word >> 8 & 1 | (1 - reading)) << 8] += mass;
                continue;
            }
            now.fill(0.0);
            let mut any = 0.0;
            for (from, to, part) in moves {
                let mass = before[*from as usize] * part;
                now[*to as usize] += mass;
                any += mass;
            }
            if any > 1e-9 {
                self.branch(level + 1, self.longer(word, level, reading), masses, words);
            }
        }
    }
}

/// How a bit and its neighbour make the level at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    Body,
    /// The edge to mark has not come yet: mark only if the bit before was mark too.
    Late,
    /// The next bit's edge to mark has come already: mark if either is.
    Early,
}

#[cfg(test)]
mod tests;
