//! Names that the whole table has, and a number for every name that somebody may know.

use std::cell::OnceCell;
use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::frame::Name;
use crate::protocol::model::{FrameId, Table};

use super::super::frame_ids::FrameIds;
use super::super::numbers::Numbers;
use super::super::sent::needed;

pub(super) struct Global<'t> {
    table: &'t Table,
    frames: &'t FrameIds<'t>,
    /// Sets of names are sets of these.
    numbers: HashMap<&'t str, usize, FixedState>,
    /// By number.
    names: Vec<&'t str>,
    /// Kept by some exchange.
    pub(super) kept: Numbers,
    pub(super) parameters: Numbers,
    /// What only the device has from the start.
    pub(super) device: Numbers,
    /// By frame: the fields that somebody has to give a value.
    needed: Vec<OnceCell<Vec<&'t Name>>>,
}

impl<'t> Global<'t> {
    pub(super) fn of(table: &'t Table, frames: &'t FrameIds<'t>) -> Global<'t> {
        let mut global = Global {
            table,
            frames,
            numbers: HashMap::default(),
            names: Vec::new(),
            kept: Numbers::default(),
            parameters: Numbers::default(),
            device: Numbers::default(),
            needed: vec![OnceCell::new(); table.frames.len()],
        };
        let of_chips = table.chips.iter().flat_map(|chip| chip.parameters.iter().map(|(name, _)| name));
        let parameters = table.parameters.iter().map(|parameter| &parameter.name).chain(of_chips);
        let cycles = table.device.cycles.iter().map(|(name, _)| name);
        let device = table.device.knows.iter().map(|(name, _)| name).chain(cycles);
        let kept = table.exchanges.iter().flat_map(|exchange| &exchange.keep);
        global.kept = kept.map(|name| global.number(name)).collect();
        global.parameters = parameters.map(|name| global.number(name)).collect();
        global.device = device.map(|name| global.number(name)).collect();
        global
    }

    /// The number of a name, which has one from now on.
    pub(super) fn number(&mut self, name: &'t str) -> usize {
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }

    /// The number of a name that somebody may know.
    pub(super) fn number_of(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The names of a set, in their order.
    pub(super) fn names(&self, set: &Numbers) -> Vec<&'t str> {
        let mut names: Vec<&str> = set.iter().map(|number| self.names[number]).collect();
        names.sort_unstable();
        names
    }

    pub(super) fn frame(&self, name: &str) -> Option<FrameId> {
        self.frames.get(name)
    }

    /// The fields of a frame that nothing in it gives a value.
    pub(super) fn needed(&self, id: FrameId) -> &[&'t Name] {
        let frame = &self.table.frames[id.0];
        self.needed[id.0].get_or_init(|| needed(frame.layout()))
    }
}
