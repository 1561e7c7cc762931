//! The device, and what a host does with it as a whole.

use super::{ADDRESS, BYTE, Kind, Naming, Others, SIZE, Section, Target, key, one_or_more};

pub(super) static DEVICE: Section = Section {
    path: "device",
    meaning: "what only the device knows, has and does",
    keys: &[
        key(
            "knows",
            Kind::Section(&KNOWS),
            "values that the device fills in by itself",
            "{ version = 0x31 }",
        ),
        key(
            "cycles",
            Kind::Section(&CYCLES),
            "values that the device sends in turn, for data that move",
            "{ temperature = [20, 21, 22] }",
        ),
        key(
            "memory",
            Kind::Section(&MEMORY),
            "regions of its memory, by name",
            "{ flash = { base = 0, size = 0x8000 } }",
        ),
        key(
            "hears",
            Kind::Expression,
            "on a shared line: whether a frame, by its fields, is for this device",
            "\"address == station || address == 0\"",
        )
        .default("every frame"),
        key("damaged", Kind::OneOf(&["stay", "leave"]), "what it does with what it cannot read", "\"leave\"")
            .default("stay"),
        key(
            "silence",
            Kind::Section(&SILENCE),
            "what it does when nothing comes for long",
            "{ after = \"1 s\", do = \"leave\" }",
        ),
        key(
            "application",
            one_or_more!(Kind::Text),
            "lines that its application prints, one a second; none for a mute one",
            "[\"ready\"]",
        ),
        key(
            "application_states",
            Kind::List(&Kind::Named(Target::State)),
            "the states in which the application runs",
            "[\"running\"]",
        ),
        key("application_baud", Kind::Baud, "the rate at which the application prints", "74880")
            .default("the line's"),
    ],
    others: None,
};

static KNOWS: Section = Section {
    path: "device.knows",
    meaning: "values that the device fills in by itself",
    keys: &[],
    others: Some(Others {
        called: "a field or a name of an exchange",
        naming: Naming::Name,
        kind: Kind::Value,
        meaning: "its value",
        example: "[0x1E, 0x95, 0x0F]",
    }),
};

static CYCLES: Section = Section {
    path: "device.cycles",
    meaning: "values that the device sends in turn, one each time a frame with that name is sent",
    keys: &[],
    others: Some(Others {
        called: "a field",
        naming: Naming::Name,
        kind: Kind::List(&Kind::Value),
        meaning: "its values in turn",
        example: "[20, 21, 22]",
    }),
};

static MEMORY: Section = Section {
    path: "device.memory",
    meaning: "regions of the device's memory",
    keys: &[],
    others: Some(Others {
        called: "the name of a region",
        naming: Naming::Name,
        kind: Kind::Section(&REGION),
        meaning: "where it lies and how it is written",
        example: "{ base = 0x08000000, size = 0x10000, erased = 0xFF }",
    }),
};

static REGION: Section = Section {
    path: "device.memory.NAME",
    meaning: "a region of memory",
    keys: &[
        key("base", ADDRESS, "its first address", "0x08000000").default("0"),
        key("size", SIZE, "how many bytes", "0x10000").required(),
        key("erased", BYTE, "what an erased byte reads as", "0xFF").default("0xFF, and 0 in RAM"),
        key("page", SIZE, "the unit of writing", "256"),
        key(
            "sectors",
            Kind::List(&Kind::Sectors),
            "units of erasing in order of address, where they differ",
            "[\"4 x 0x4000\", \"1 x 0x10000\"]",
        ),
        key(
            "programs",
            Kind::OneOf(&["clears", "sets"]),
            "`clears`: writing can only clear bits; `sets`: it replaces bytes",
            "\"clears\"",
        )
        .default("sets"),
        key("ram", Kind::Truth, "it needs no erasing", "true").default("false"),
        key("content", Kind::Value, "what it holds at the start, from its base on", "[0x01, 0x02]")
            .default("erased"),
    ],
    others: None,
};

static SILENCE: Section = Section {
    path: "device.silence",
    meaning: "what the device does when nothing comes for long",
    keys: &[
        key("after", Kind::Time, "how long nothing came", "\"1 s\"").required(),
        key(
            "do",
            Kind::OneOf(&["stay", "leave"]),
            "`leave`: it goes to the application or resets itself",
            "\"leave\"",
        )
        .required(),
    ],
    others: None,
};

pub(super) static HANDSHAKE: Section = Section {
    path: "handshake",
    meaning: "what brings the device to readiness and changes nothing in it",
    keys: &[key("run", Kind::Talk, "exchanges in order", "\"sync get\"").required()],
    others: None,
};

pub(super) static POLL: Section = Section {
    path: "poll",
    meaning: "what a host of this protocol keeps asking",
    keys: &[
        key("run", Kind::Talk, "exchanges in order", "\"fetch\"").required(),
        key("every", Kind::Time, "how often", "\"1 s\"").default("1 s"),
    ],
    others: None,
};

pub(super) static PROBE: Section = Section {
    path: "probe",
    meaning: "how to find out whether this device is there",
    keys: &[
        key("run", Kind::Talk, "exchanges in order", "\"sync\"").required(),
        key(
            "risk",
            Kind::OneOf(&["harmless", "disturbing", "dangerous"]),
            "what a wrong device may do with it",
            "\"harmless\"",
        )
        .required(),
        key(
            "warning",
            Kind::Text,
            "what may happen, in a sentence",
            "\"an autobaud device locks on to its first byte\"",
        ),
    ],
    others: None,
};

pub(super) static RESET: Section = Section {
    path: "reset",
    meaning: "control lines: DTR (D), RTS (R), break (B), wait in seconds (W); a rate in between (S), the port closed and opened again (O)",
    keys: &[
        key(
            "enter",
            one_or_more!(Kind::Script),
            "into the bootloader; alternatives in order",
            "[\"D1|R1|W0.1|D0|W0.1|R0\"]",
        ),
        key(
            "leave",
            one_or_more!(Kind::Script),
            "into the application; alternatives in order",
            "\"R0|D1|W0.1|D0\"",
        ),
    ],
    others: None,
};

pub(super) static CHIPS: Section = Section {
    path: "chips",
    meaning: "what a value that the device tells says of it",
    keys: &[key("by", Kind::Name, "the kept name whose value tells", "\"signature\"").required()],
    others: Some(Others {
        called: "what a chip is told by",
        naming: Naming::NumberOrBytes,
        kind: Kind::Section(&CHIP),
        meaning: "the device that it means",
        example: "{ title = \"ATmega328P\" }",
    }),
};

static CHIP: Section = Section {
    path: "chips.VALUE",
    meaning: "a device, and what holds for it in place of what the table says",
    keys: &[
        key("title", Kind::Text, "its name", "\"ATmega328P\"").required(),
        key(
            "memory",
            Kind::Section(&MEMORY),
            "its memory",
            "{ flash = { base = 0, size = 0x8000, page = 128 } }",
        ),
        key("parameters", Kind::Section(&CHIP_PARAMETERS), "parameters that it needs", "{ extended = 1 }"),
    ],
    others: None,
};

static CHIP_PARAMETERS: Section = Section {
    path: "chips.VALUE.parameters",
    meaning: "parameters that the device needs",
    keys: &[],
    others: Some(Others {
        called: "the name of a parameter",
        naming: Naming::Name,
        kind: Kind::Value,
        meaning: "its value for this device",
        example: "1",
    }),
};
