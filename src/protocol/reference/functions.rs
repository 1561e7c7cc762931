//! What each function of the language gives.

use crate::frame::Function;

pub(super) fn gives(function: Function) -> &'static str {
    match function {
        Function::Size => "how many bytes",
        Function::Sum => "the sum of all bytes, not cut",
        Function::Sum8 => "the lowest 8 bits of the sum of all bytes",
        Function::Sum16 => "the lowest 16 bits of the sum of all bytes",
        Function::Sum32 => "the lowest 32 bits of the sum of all bytes",
        Function::Xor8 => "all bytes combined by exclusive or",
        Function::Xor16 => {
            "all words of 16 bits combined by exclusive or, the low byte of each first (TI's MSP430)"
        }
        Function::Lrc => "the two's complement of `sum8` (Modbus ASCII, DF1)",
        Function::Fletcher8 => "the 8-bit Fletcher checksum: two bytes, A then B (UBX)",
        Function::CarrySum8 => "the inverted sum with end-around carry (LIN)",
        Function::Crc => "a CRC of the catalogue, or of `[checksums]`",
        Function::Md5 => "the MD5 digest, 16 bytes",
        Function::Sha256 => "the SHA-256 digest, 32 bytes",
        Function::Hex => "bytes as lower-case hex text",
        Function::Zlib => "bytes deflated, with the header of zlib",
        Function::Inflate => "the opposite of `zlib`",
        Function::Min => "the least of some numbers",
        Function::Max => "the greatest of some numbers",
        Function::Memory => "what the device's memory holds there; within `{ }` and conditions",
        Function::Lookup => "the number that `[lookup.NAME]` gives for another",
        Function::Reverse => "bytes in the other order, all of them or within each group",
        Function::Le => "the number that bytes are, or a number as n bytes, least significant first",
        Function::Be => "the same, most significant first",
        Function::Bits => "the first n bits, each as a byte of 0 or 1, lowest bit of the first byte first",
        Function::Pack => "bytes that are 0 or not, eight to a byte: the opposite of `bits`",
        Function::Join => "bytes one behind the other",
        Function::Part => "n of the bytes, from one of them on",
    }
}
