//! Where each byte of an image goes, in the pieces that the protocol moves and the units that the device erases.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::frame::{Name, Value};
use crate::image::{Image, ReadImage, Segment};
use crate::machine::Env;
use crate::protocol::{Chip, Flash, FlashRun, Pieces, Region, Table};

/// What a user may say of where an image goes, and to which device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wish {
    /// Where a raw image goes.
    pub base: Option<u64>,
    /// What is added to every address.
    pub offset: i64,
    /// A chip of the table, by its title or by what it is told by.
    pub chip: Option<String>,
    /// Parameters, as the user sets them.
    pub env: Env,
}

/// Which of the table's chips it is, by its place in [`Table::chips`].
pub type Chosen = Option<usize>;

/// Everything that is known before a device is touched.
#[derive(Clone, Debug)]
pub struct Plan {
    pub table: Arc<Table>,
    pub chip: Chosen,
    /// As the file has it, at the addresses where it goes.
    pub image: Image,
    /// What is written: the image in whole pieces, filled where it has gaps in one.
    pub parts: Vec<Segment>,
    /// The memory of the chip, or that of the table's own device.
    pub regions: Vec<Region>,
    pub env: Env,
    /// What the table changed in the image, in words.
    pub patched: Vec<String>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("`{table}` does not say how to flash: it has no [flash]")]
    NoFlash { table: Name },
    #[error("the file has addresses of its own, so there is no base to give")]
    HasAddresses,
    #[error("an address would lie below 0 or beyond 64 bits")]
    Address,
    #[error("`{table}` knows no chip `{chip}`; it knows {known}")]
    NoSuchChip { table: Name, chip: String, known: String },
    #[error(
        "the image reaches from {start:#x} to {end:#x}; too far for one piece, and this protocol tells the device no addresses"
    )]
    TooWide { start: u64, end: u64 },
}

/// No device that gets its image in one piece holds more.
const WIDEST: u64 = 256 << 20;

impl Plan {
    pub fn new(table: &Arc<Table>, file: &ReadImage, wish: &Wish) -> Result<Plan, PlanError> {
        let flash = flash(table)?;
        let base = match (file.has_addresses, wish.base) {
            (true, Some(_)) => return Err(PlanError::HasAddresses),
            (true, None) => 0,
            (false, base) => base.unwrap_or(flash.base),
        };
        let image = placed(&file.image, base, wish.offset)?;
        let chip = wish.chip.as_deref().map(|chip| chosen(table, chip)).transpose()?;
        Plan::of(table, image, chip, wish.env.clone())?.patch()
    }

    /// A plan without an image: for whoever only asks, reads or erases.
    pub fn without_image(table: &Arc<Table>, wish: &Wish) -> Result<Plan, PlanError> {
        flash(table)?;
        let chip = wish.chip.as_deref().map(|chip| chosen(table, chip)).transpose()?;
        Plan::of(table, Image::default(), chip, wish.env.clone())
    }

    /// The same image for a chip that is known now.
    pub fn for_chip(&self, chip: Chosen) -> Result<Plan, PlanError> {
        let plan = Plan::of(&self.table, self.image.clone(), chip, self.env.clone())?;
        Ok(Plan { patched: self.patched.clone(), ..plan })
    }

    pub(super) fn of(table: &Arc<Table>, image: Image, chip: Chosen, env: Env) -> Result<Plan, PlanError> {
        let regions = memory(table, chip.and_then(|chip| table.chips.get(chip)));
        let mut plan = Plan {
            table: Arc::clone(table),
            chip,
            image,
            parts: Vec::new(),
            regions,
            env,
            patched: Vec::new(),
        };
        plan.parts = plan.cut()?;
        Ok(plan)
    }

    pub fn flash(&self) -> &Flash {
        static NONE: std::sync::LazyLock<Flash> = std::sync::LazyLock::new(Flash::default);
        self.table.flash.as_ref().unwrap_or(&NONE)
    }

    pub fn chip(&self) -> Option<&Chip> {
        self.table.chips.get(self.chip?)
    }

    /// The value of a parameter: the user's, the chip's, the table's.
    pub fn parameter(&self, name: &Name) -> Option<Value> {
        let of_chip =
            || self.chip()?.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let of_table =
            || self.table.parameters.iter().find(|known| known.name == *name).map(|known| &known.value);
        self.env.get(name).or_else(of_chip).or_else(of_table).cloned()
    }

    pub fn pieces(&self, run: FlashRun) -> Option<Pieces> {
        self.flash().pieces(run, &|name| self.parameter(name)?.as_int())
    }

    /// Whether the image is lost when the device loses power.
    pub fn is_in_ram(&self) -> bool {
        self.parts.first().and_then(|part| self.region(part.at, 1)).is_some_and(|region| region.ram)
    }

    /// The regions that an image may lie in.
    pub fn allowed<'a>(&'a self, regions: &'a [Region]) -> impl Iterator<Item = &'a Region> {
        let named = &self.flash().memory;
        let only_ram = regions.iter().all(|region| region.ram);
        regions.iter().filter(move |region| match named.is_empty() {
            true => !region.ram || only_ram,
            false => named.contains(&region.name),
        })
    }

    /// The region that these bytes lie in.
    pub fn region(&self, at: u64, size: u64) -> Option<&Region> {
        self.allowed(&self.regions).find(|region| holds(region, at, size))
    }

    /// What an erased byte reads as there.
    pub fn erased(&self, at: u64) -> u8 {
        self.region(at, 1).map_or(0xFF, |region| region.erased)
    }

    /// How many bytes are written.
    pub fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes.len() as u64).sum()
    }

    /// The whole memory that an image may lie in.
    pub fn whole(&self) -> Option<(u64, u64)> {
        self.allowed(&self.regions).map(|region| (region.base, region.size)).next()
    }

    /// The ranges of erasing units that these ranges touch, joined; `None` where a unit is not known.
    pub fn units(&self, ranges: &[(u64, u64)]) -> Option<Vec<(u64, u64)>> {
        let mut units: Vec<(u64, u64)> = Vec::new();
        for &(at, size) in ranges {
            let region = self.region(at, size)?;
            let (first, last) = region.units(at, size)?;
            let (begin, (start, length)) = (region.unit(first)?.0, region.unit(last)?);
            let end = start + length;
            match units.last_mut() {
                Some((at, size)) if begin <= *at + *size && *at <= begin => *size = (*size).max(end - *at),
                _ => units.push((begin, end - begin)),
            }
        }
        Some(units)
    }

    /// The image in whole pieces.
    fn cut(&self) -> Result<Vec<Segment>, PlanError> {
        let Some((start, end)) = self.image.start().zip(self.image.end()) else { return Ok(Vec::new()) };
        if !self.flash().has_addresses() {
            let one = self.image.filled(self.erased(start), WIDEST);
            return Ok(vec![one.ok_or(PlanError::TooWide { start, end })?]);
        }
        let Some(Pieces { align, .. }) = self.pieces(FlashRun::Write) else {
            return Ok(self.image.segments().to_vec());
        };
        let mut parts: Vec<(u64, BytesMut)> = Vec::new();
        for segment in self.image.segments() {
            let from = segment.at - segment.at % align;
            let to = segment.end().next_multiple_of(align);
            let fill = self.erased(segment.at);
            let joins = parts.last().is_some_and(|(at, bytes)| at + bytes.len() as u64 >= from);
            if !joins {
                parts.push((from, BytesMut::new()));
            }
            let Some((at, bytes)) = parts.last_mut() else { continue };
            bytes.resize((to - *at) as usize, fill);
            let place = (segment.at - *at) as usize;
            bytes[place..place + segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        Ok(parts.into_iter().map(|(at, bytes)| Segment { at, bytes: bytes.freeze() }).collect())
    }

    /// What is to be written at this range of a part.
    pub fn bytes(&self, at: u64, size: u64) -> Option<Bytes> {
        let part = self.parts.iter().find(|part| part.at <= at && at + size <= part.end())?;
        let from = (at - part.at) as usize;
        Some(part.bytes.slice(from..from + size as usize))
    }

    /// Where what was read is not what the image says, as (address, expected, found).
    pub fn differences<'a>(&'a self, at: u64, found: &'a [u8]) -> impl Iterator<Item = (u64, u8, u8)> + 'a {
        let end = at + found.len() as u64;
        let touched = self.image.segments().iter().filter(move |part| part.at < end && at < part.end());
        touched.flat_map(move |part| {
            let (from, to) = (part.at.max(at), part.end().min(end));
            let wanted = &part.bytes[(from - part.at) as usize..(to - part.at) as usize];
            let found = &found[(from - at) as usize..(to - at) as usize];
            let both = wanted.iter().zip(found).zip(from..);
            both.filter(|((wanted, found), _)| wanted != found)
                .map(|((wanted, found), at)| (at, *wanted, *found))
        })
    }
}

pub(super) fn holds(region: &Region, at: u64, size: u64) -> bool {
    let last = at.checked_add(size.max(1) - 1);
    last.is_some_and(|last| region.base <= at && last - region.base < region.size)
}

/// The memory of a device: what the chip says in place of what the table says.
pub(super) fn memory(table: &Table, chip: Option<&Chip>) -> Vec<Region> {
    let mut regions = table.device.memory.clone();
    for region in chip.into_iter().flat_map(|chip| &chip.memory) {
        match regions.iter_mut().find(|known| known.name == region.name) {
            Some(known) => {
                *known =
                    Region { clears: known.clears, erased: known.erased, ram: known.ram, ..region.clone() };
            }
            None => regions.push(region.clone()),
        }
    }
    regions
}

fn flash(table: &Table) -> Result<&Flash, PlanError> {
    table.flash.as_ref().ok_or_else(|| PlanError::NoFlash { table: table.name.clone() })
}

fn placed(image: &Image, base: u64, offset: i64) -> Result<Image, PlanError> {
    let moves = i128::from(base) + i128::from(offset);
    let fits = |address: u64| u64::try_from(i128::from(address) + moves).is_ok();
    match image.start().zip(image.end()) {
        Some((start, end)) if !fits(start) || !fits(end) => Err(PlanError::Address),
        _ => Ok(image.moved(base.wrapping_add_signed(offset))),
    }
}

/// The chip that a user names.
fn chosen(table: &Table, wanted: &str) -> Result<usize, PlanError> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-', '_'], "");
    let told_by = |chip: &Chip| match &chip.value {
        Value::Int(number) => format!("0x{number:04x}"),
        Value::Bytes(blob) => blob.bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Value::List(_) => String::new(),
    };
    let exactly = table
        .chips
        .iter()
        .position(|chip| plain(&chip.title) == plain(wanted) || told_by(chip) == plain(wanted));
    let mut within =
        (0..table.chips.len()).filter(|chip| plain(&table.chips[*chip].title).contains(&plain(wanted)));
    exactly.or_else(|| within.next().filter(|_| within.next().is_none())).ok_or_else(|| {
        let known: Vec<&str> = table.chips.iter().map(|chip| &*chip.title).collect();
        let known = if known.is_empty() { "none".into() } else { known.join("; ") };
        PlanError::NoSuchChip { table: table.name.clone(), chip: wanted.into(), known }
    })
}
