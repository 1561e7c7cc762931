//! What a table changes in an image before it is looked at: checksums and headers that the device wants.

use bytes::{Bytes, BytesMut};

use crate::frame::Value;
use crate::image::{Image, Segment};
use crate::protocol::ImagePatch;

use super::check::OverImage;
use super::plan::{Plan, PlanError};

impl Plan {
    /// The same plan with the table's patches in its image.
    pub(super) fn patch(mut self) -> Result<Plan, PlanError> {
        let table = std::sync::Arc::clone(&self.table);
        for patch in table.flash.iter().flat_map(|flash| &flash.patches) {
            let Some(image) = patched(&self, patch) else { continue };
            let mut said = self.patched.clone();
            said.push(patch.says.clone());
            let plan = Plan::of(&table, image, self.chip, self.env.clone())?;
            self = Plan { patched: said, ..plan };
        }
        Ok(self)
    }
}

/// The image with the patch in it; `None` where it does not apply or changes nothing.
fn patched(plan: &Plan, patch: &ImagePatch) -> Option<Image> {
    let over = OverImage::of(plan)?;
    if let Some(when) = &patch.when
        && when.eval(&over).ok()?.as_int()? == 0
    {
        return None;
    }
    let Value::Bytes(becomes) = patch.becomes.eval(&over).ok()? else { return None };
    let Some(address) = &patch.address else {
        let [whole] = plan.image.segments() else { return None };
        let same = whole.bytes == becomes.bytes;
        return (!same).then(|| one(whole.at, becomes.bytes)).flatten();
    };
    let address = u64::try_from(address.eval(&over).ok()?.as_int()?).ok()?;
    let is = plan.image.bytes_at(address, becomes.bytes.len())?;
    if is == &becomes.bytes[..] {
        return None;
    }
    let parts = plan.image.segments().iter().map(|part| {
        let mut bytes = BytesMut::from(&part.bytes[..]);
        if (part.at..part.end()).contains(&address) {
            let from = (address - part.at) as usize;
            bytes[from..from + becomes.bytes.len()].copy_from_slice(&becomes.bytes);
        }
        Segment { at: part.at, bytes: bytes.freeze() }
    });
    Image::from_parts(parts.collect()).ok()
}

fn one(at: u64, bytes: Bytes) -> Option<Image> {
    Image::from_parts(vec![Segment { at, bytes }]).ok()
}
