//! Is this an image that the device can run? Looked at before a byte is sent, and once more when the chip is known.

use std::sync::Arc;

use bytes::Bytes;

use crate::frame::{Blob, EvalError, Name, Path, Scope, Value};
use crate::image::{Machine, ReadImage};
use crate::protocol::Region;

use super::plan::{Plan, holds, memory};

/// What is wrong with an image for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub says: String,
    pub remedy: Option<String>,
}

/// Everything that speaks against flashing this image; empty when nothing does. `file` tells what the file said of itself.
pub fn complaints(plan: &Plan, file: Option<&ReadImage>) -> Vec<Complaint> {
    let mut found = Vec::new();
    found.extend(file.and_then(|file| machine(plan, file)));
    found.extend(file.and_then(|file| family(plan, file)));
    found.extend(outside(plan));
    found.extend(expected(plan));
    found
}

fn machine(plan: &Plan, file: &ReadImage) -> Option<Complaint> {
    let machines = &plan.flash().machines;
    let is = match file.machine? {
        Machine::Arm => "arm",
        Machine::Avr => "avr",
        Machine::RiscV => "riscv",
        Machine::Xtensa => "xtensa",
        Machine::Msp430 => "msp430",
        Machine::Other(_) => "",
    };
    let fits = machines.is_empty() || machines.iter().any(|known| known == is);
    (!fits).then(|| Complaint {
        says: format!(
            "the file is for {}, and a device of {} is none",
            file.machine.map_or_else(String::new, |machine| machine.to_string()),
            plan.table.name
        ),
        remedy: Some("take the file that was built for this device".into()),
    })
}

/// A UF2 file names the family of chips that it is for.
fn family(plan: &Plan, file: &ReadImage) -> Option<Complaint> {
    let families = &plan.flash().families;
    let is = file.family?;
    let hex = |family: &u32| format!("{family:#010x}");
    (!families.is_empty() && !families.contains(&is)).then(|| Complaint {
        says: format!(
            "the UF2 file is for the family {}, and a device of {} is of {}",
            hex(&is),
            plan.table.name,
            families.iter().map(hex).collect::<Vec<_>>().join(" or ")
        ),
        remedy: Some("take the file that was built for this device".into()),
    })
}

/// Bytes that no memory of the chip holds; while the chip is not known, that of no chip of the table.
fn outside(plan: &Plan) -> Option<Complaint> {
    if !plan.flash().has_addresses() {
        return None; // the device decides where it goes, and how much it takes
    }
    let mut maps: Vec<Vec<Region>> = vec![plan.regions.clone()];
    if plan.chip.is_none() {
        maps.extend(plan.table.chips.iter().map(|chip| memory(&plan.table, Some(chip))));
    }
    let lies =
        |map: &Vec<Region>, at: u64, size: u64| plan.allowed(map).any(|region| holds(region, at, size));
    let fits = |map: &Vec<Region>| plan.parts.iter().all(|part| lies(map, part.at, part.bytes.len() as u64));
    if maps.iter().any(fits) {
        return None;
    }
    let map = maps.iter().max_by_key(|map| plan.allowed(map).map(|region| region.size).sum::<u64>())?;
    let part = plan.parts.iter().find(|part| !lies(map, part.at, part.bytes.len() as u64))?;
    let of =
        plan.chip().map_or_else(|| format!("any device of {}", plan.table.name), |chip| chip.title.clone());
    let there: Vec<String> = plan
        .allowed(map)
        .map(|region| {
            format!("{} from {:#010x} to {:#010x}", region.name, region.base, region.base + (region.size - 1))
        })
        .collect();
    Some(Complaint {
        says: format!(
            "{} bytes from {:#010x} to {:#010x} do not lie in the memory of {of}: it has {}",
            part.bytes.len(),
            part.at,
            part.end() - 1,
            there.join(", ")
        ),
        remedy: Some(format!(
            "an image of another chip, or another address: `--base` and `--offset` move it{}",
            if plan.chip.is_none() && !plan.table.chips.is_empty() {
                ", `--chip` says which chip it is"
            } else {
                ""
            }
        )),
    })
}

/// What the table expects of an image.
fn expected(plan: &Plan) -> Vec<Complaint> {
    let Some(over) = OverImage::of(plan) else { return Vec::new() };
    let holds = |check: &&crate::protocol::ImageCheck| match check.holds.eval(&over) {
        Ok(Value::Int(holds)) => holds != 0,
        // Bytes that the image does not have, or a name that is not known yet: nothing to say.
        _ => true,
    };
    let broken = plan.flash().checks.iter().filter(|check| !holds(check));
    broken.map(|check| Complaint { says: check.says.clone(), remedy: check.remedy.clone() }).collect()
}

/// The names of a check, and of a patch.
pub(super) struct OverImage<'a> {
    plan: &'a Plan,
    at: u64,
    size: u64,
}

impl<'a> OverImage<'a> {
    /// `None` for an image of nothing.
    pub(super) fn of(plan: &'a Plan) -> Option<OverImage<'a>> {
        let (start, end) = plan.image.start().zip(plan.image.end())?;
        Some(OverImage { plan, at: start, size: end - start })
    }
}

impl Scope for OverImage<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        if path.rest.is_some() {
            return None;
        }
        let name: &Name = &path.first;
        match &**name {
            "at" => Some(Value::Int(self.at.into())),
            "size" => Some(Value::Int(self.size.into())),
            "image" => match self.plan.image.segments() {
                [whole] => Some(Value::Bytes(Blob { bytes: whole.bytes.clone(), at: whole.at })),
                _ => None,
            },
            _ => self.plan.parameter(name),
        }
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        let bytes = self.plan.image.bytes_at(address, n);
        bytes.map(Bytes::copy_from_slice).ok_or(EvalError::Outside { address, n })
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        Arc::clone(&self.plan.table).lookups.get(table)?.get(&x).copied()
    }
}
