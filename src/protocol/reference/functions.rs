//! What each function of the language does.

use crate::frame::Function;

/// How it is called, and what it gives.
pub(super) fn described(function: Function) -> (&'static str, &'static str) {
    match function {
        Function::Size => ("size(a..b)", "how many bytes"),
        Function::Sum => ("sum(a..b)", "the sum of all bytes, not cut"),
        Function::Sum8 => ("sum8(a..b)", "the sum of all bytes, the lowest 8 bits"),
        Function::Sum16 => ("sum16(a..b)", "the sum of all bytes, the lowest 16 bits"),
        Function::Sum32 => ("sum32(a..b)", "the sum of all bytes, the lowest 32 bits"),
        Function::Xor8 => ("xor8(a..b)", "all bytes combined by exclusive or"),
        Function::Lrc => ("lrc(a..b)", "the two's complement of `sum8` (Modbus ASCII, DF1)"),
        Function::Fletcher8 => ("fletcher8(a..b)", "the 8-bit Fletcher checksum: two bytes, A then B (UBX)"),
        Function::CarrySum8 => ("carry_sum8(a..b)", "the inverted sum with end-around carry (LIN)"),
        Function::Crc => ("crc(NAME, a..b)", "a CRC of the catalogue, or of `[checksums]`"),
        Function::Md5 => ("md5(x)", "the MD5 digest, 16 bytes"),
        Function::Sha256 => ("sha256(x)", "the SHA-256 digest, 32 bytes"),
        Function::Hex => ("hex(x)", "bytes as lower-case hex text"),
        Function::Zlib => ("zlib(x)", "bytes deflated, with the zlib header"),
        Function::Inflate => ("inflate(x)", "the opposite of `zlib`"),
        Function::Min => ("min(x, y)", "the lesser number"),
        Function::Max => ("max(x, y)", "the greater number"),
        Function::Memory => ("memory(address, n)", "what the device's memory holds; in `{ }` alone"),
        Function::Lookup => ("lookup(NAME, x)", "the number that `[lookup.NAME]` gives for `x`"),
        Function::Reverse => ("reverse(x)", "bytes in the other order"),
        other => undescribed(other),
    }
}
