//! How an image gets into a device.

use super::{ADDRESS, Kind, Section, key, one_or_more};

pub(super) static FLASH: Section = Section {
    path: "flash",
    meaning: "how an image gets into the device, as runs by name; each is given `image`, `at` and `size` (where it lies), and `first`, `last` \
        and `units` (the pages or sectors it touches, by number)",
    keys: &[
        key("base", ADDRESS, "where a raw image goes when the user says nothing", "0x08000000").default("0"),
        key(
            "memory",
            one_or_more!(Kind::Name),
            "the regions of memory that an image may lie in",
            "[\"flash\"]",
        )
        .default("all that are no RAM"),
        key(
            "machines",
            one_or_more!(Kind::OneOf(&["arm", "avr", "riscv", "xtensa", "msp430"])),
            "the processors that the device has, as an ELF file names them",
            "\"arm\"",
        )
        .default("any"),
        key(
            "interrupted",
            Kind::Text,
            "what a device is left with when its flashing ends half way, in a sentence",
            "\"the loader is in ROM and answers as before; the application does not start\"",
        ),
        key("begin", Kind::Talk, "into the loader, up to where it takes commands", "\"sync get get_id\""),
        key(
            "speed",
            Kind::Talk,
            "to the rate that the rest is done at: the parameter `rate`, which `--baud` sets",
            "\"change_baud(rate)\"",
        ),
        key(
            "erase",
            Kind::Talk,
            "erases the units that the image touches, and no others",
            "\"erase_pages(units)\"",
        ),
        key("erase_all", Kind::Talk, "erases everything", "\"erase_mass\""),
        key(
            "write_erases",
            Kind::Truth,
            "`write` erases what it writes: then `erase` and `erase_all` are there for `hsdiag flash erase` alone",
            "true",
        )
        .default("false"),
        key(
            "write",
            Kind::Talk,
            "writes the image; a run that names no address gets it in one piece",
            "\"( write(block.at, block) ) each block of image by 256\"",
        )
        .required(),
        key(
            "verify",
            Kind::Talk,
            "lets the device check what it holds",
            "\"checksum(at, size, crc(CRC-32/ISO-HDLC, image))\"",
        )
        .default("`read`"),
        key(
            "read",
            Kind::Talk,
            "reads `size` bytes at `at` into `image`; where the image is known, they have to be equal",
            "\"( read(block.at, block.size, block) ) each block of image[size] by 256\"",
        ),
        key("recover", Kind::Talk, "back to where commands begin, after something went wrong", "\"resync\""),
        key("go", Kind::Talk, "starts the application", "\"go(at)\""),
        key(
            "family",
            Kind::List(&ADDRESS),
            "the families of UF2 files that fit the device, by number; of several in a file the first that fits is taken",
            "[0xE48BFF59]",
        )
        .default("any"),
        key(
            "patch",
            Kind::Sections(&PATCH),
            "what is changed in an image before it is looked at and written, in order: checksums and headers that the device wants",
            "[{ address = \"at + 0x1C\", becomes = \"le(0 - le(memory(at, 4)), 4)\", as = \"the checksum of the vectors\" }]",
        ),
        key(
            "check",
            Kind::Sections(&CHECK),
            "what holds for every image that the device can run; looked at before anything is sent",
            "[{ holds = \"memory(at, 1) == \\\"\\\\xE9\\\"\", as = \"no image of an ESP\" }]",
        ),
    ],
    others: None,
};

static PATCH: Section = Section {
    path: "[flash.patch]",
    meaning: "bytes of an image that are computed from it",
    keys: &[
        key(
            "address",
            Kind::Expression,
            "where the bytes go, over the image as in a check; where the image holds nothing there, nothing is done",
            "\"at + 0x1C\"",
        )
        .default("the bytes are the whole image from now on, which has to be in one piece"),
        key("becomes", Kind::Expression, "the bytes; `image` is all of it", "\"join(le(0, 1), image)\"").required(),
        key("when", Kind::Expression, "the patch applies only where this holds", "\"header == 1\"").default("always"),
        key("as", Kind::Text, "what was done, for people", "\"the checksum of the vectors was put in\"").required(),
    ],
    others: None,
};

static CHECK: Section = Section {
    path: "[flash.check]",
    meaning: "what holds for every image that the device can run",
    keys: &[
        key(
            "holds",
            Kind::Expression,
            "over the image: `memory(address, n)` is what it holds there, and where it holds nothing there the check does not apply; \
                `at` and `size` say where it lies, parameters what is known of the chip",
            "\"le(memory(0x08000000, 4)) >> 28 == 2\"",
        )
        .required(),
        key("as", Kind::Text, "what an image is for which it does not hold", "\"the stack pointer is not in RAM\"").required(),
        key("remedy", Kind::Text, "what to do", "\"look at the address in the linker script\""),
    ],
    others: None,
};
