//! The notations of the language by example: what each construct says, and which protocol asked for it.

/// A part of the language.
pub(super) struct Topic {
    pub title: &'static str,
    pub about: &'static str,
    pub constructs: &'static [Construct],
}

/// A construct, as it is written, and what it says.
pub(super) struct Construct {
    pub written: &'static str,
    pub says: &'static str,
}

const fn construct(written: &'static str, says: &'static str) -> Construct {
    Construct { written, says }
}

pub(super) const TOPICS: [Topic; 6] = [
    Topic {
        title: "Layouts",
        about: "A layout is a regular expression over bytes. The parser and the encoder are made from the same text: lengths, counts, \
                checksums and complements are relations that the parser checks and the encoder computes.\n\n\
                A field without a length takes what its counted part, its envelope or the gap leaves once the fixed widths behind it are \
                set aside, or runs to the literal that follows. A field of an absent optional part reads as 0 or as empty. A field that \
                nobody binds takes the name in scope that is called like it when it is sent, and is not compared when it is received.",
        constructs: &[
            construct("68", "this byte; upper case, two digits"),
            construct(
                "\"OK\\r\\n\"",
                "this text; `\\xNN`, `\\n`, `\\r`, `\\t`, `\\0`, `\\\\` and `\\\"` are known",
            ),
            construct("55{32}", "this byte or text 32 times"),
            construct(
                "FE{0..4}",
                "none to four times: the parser takes as many as there are, the encoder sends the most",
            ),
            construct("00*", "as many as the counted part has room for"),
            construct(
                "code:u8",
                "a number: `u8`, `u16le`, `u24be`, `u32le`, `u64be`, and signed `i8` to `i64be`",
            ),
            construct(
                "address:ule(size)",
                "an unsigned number of 0 to 8 bytes, least significant first; `ube` for the other order",
            ),
            construct("n:dec", "decimal digits"),
            construct("check:hex(2)", "so many hex digits: upper case when sent, either case when read"),
            construct("data:bytes(n)", "n bytes; without a length, see above"),
            construct("name:text", "bytes that have to be text"),
            construct("line:uu(n)", "n bytes as UU text"),
            construct("body:( op:u8 rest:bytes )(n)", "a named part, here of n bytes"),
            construct(
                "body:cbor{off:uint data:bytes image:uint?}",
                "a CBOR map; a key with `?` may be missing",
            ),
            construct(
                "n:u8=size(a..b)",
                "a computed field: of the bytes from field `a` to field `b`; `..` is all up to here",
            ),
            construct("kind:u8=3", "a fixed value"),
            construct("(n-1):u8", "what stands on the wire is n-1; also `+ * / ^`"),
            construct(
                "(data+0x33):bytes(n)",
                "on bytes, text and parts: each byte, modulo 256; `^key` with a number or repeating bytes",
            ),
            construct(
                "sum8(a..b)",
                "a checksum as a nameless computed field of its natural width; `le` behind it for the other order",
            ),
            construct("=n", "the wire bytes of field n once more"),
            construct("~n", "their complement"),
            construct(
                "<res:1=0 prm:1 :2 function:4>",
                "bits of whole bytes, most significant first; a nameless one is padding",
            ),
            construct("( extra:u16le )?flag", "there if `flag` is not 0; `?{expr}` for a condition"),
            construct("( page:u16be ){n}", "n times; `*` to the end of the counted part"),
        ],
    },
    Topic {
        title: "Frames that narrow others",
        about: "With `like` a frame is a copy of another one; every further key names a field at any depth.",
        constructs: &[
            construct("{ like = \"request\", op = 2 }", "a number fixes the field"),
            construct(
                "sw1 = [0x61, \"0x64..0x6F\"]",
                "a set of values and ranges; the first is sent unless one is given",
            ),
            construct(
                "op = \"asked.op\"",
                "text is an expression for a number: `asked.` the last frame of the other side, `last.` the own one",
            ),
            construct(
                "data = \"erase:u32le count:u32le\"",
                "and a layout for bytes or a part; its length relation stays",
            ),
            construct("data = \"\"", "nothing"),
        ],
    },
    Topic {
        title: "Envelopes",
        about: "How a frame is wrapped on the wire; for the whole table or for one frame.",
        constructs: &[
            construct("none", "not at all, where the table's envelope does not hold"),
            construct("slip", "RFC 1055, with C0 at both ends"),
            construct("slip_end", "the same with C0 at the end alone"),
            construct(
                "hdlc(11 13)",
                "RFC 1662; the bytes named are escaped too. The FCS belongs to the layout",
            ),
            construct("cobs", "consistent overhead byte stuffing, ended by 00"),
            construct(
                "line(\"$\", 0D 0A, 82)",
                "bytes between a start, which may be empty, and an end; at most so many",
            ),
            construct("hex(3A, 0D 0A)", "pairs of hex digits between a start and an end"),
            construct(
                "lines(06 09, 04 14, 0A, base64, 127)",
                "base64 in lines; the first begins otherwise than the next ones",
            ),
        ],
    },
    Topic {
        title: "Talks",
        about: "A talk is a regular expression over frames: `>` is host to device, `<` device to host. It is read by the host, the device and \
                the observer alike. Names are unified: a name that is known has to match, one that is not takes what comes. An \
                expression always stands in brackets, as `<` and `>` are arrows.\n\n\
                A device speaks for the first branch that it can take; each `<` step may be answered by a refusal, unsaid. \
                A refusal that spells out what the expected frame leaves open is one: `ERROR` where any line may come.",
        constructs: &[
            construct("> command(code = 3) < ack", "a question and its answer"),
            construct("> write(address, data)", "`address` is short for `address = address`"),
            construct("< ack within 35 s", "the reply begins within this time after the frame before it"),
            construct(
                "> knock every 15 ms",
                "again and again until it is answered; `after 1 s` waits before it speaks",
            ),
            construct("( < ack -> ready | < nack )", "a choice; all branches begin on one side"),
            construct("( < greeting ) 1..8 times", "so often; silence ends it"),
            construct(
                "( > block(data = piece) < ack ) each piece of data by 128 pad 0x1A",
                "over data, piece by piece; a piece has `index`, `offset`, `left`, `size` and `at`. Over a list (`each unit of units by 1`), value by value",
            ),
            construct(
                "each piece of data[total] by n next progress.off",
                "`[total]` tells those who do not hold the data how long they will be; `next` lets the other side set the pace",
            ),
            construct(
                "( < ack | < nak again )",
                "once more from the start of the innermost group, forgetting what this round bound",
            ),
            construct("[0x44 in codes]", "a condition; goes on only where it holds"),
            construct(
                "command(get)",
                "another exchange in place of its name, with arguments by place or name",
            ),
            construct(
                "{ write(address, data) }",
                "what the device does inside: `name = expr`, `write`, `erase`, `erase_all`, `erase_page`",
            ),
            construct("-> ready", "the state that the conversation is in now; never within a repeat"),
            construct(
                "@fast",
                "the line's settings change here, as `[line.fast]` says; `@line` returns to the first ones",
            ),
        ],
    },
    Topic {
        title: "Runs",
        about: "A run is a talk without arrows: exchanges, groups, conditions. `[handshake]`, `[poll]` and `[probe]` have one, `[flash]` one for each thing that can be done.",
        constructs: &[
            construct("sync get get_id", "exchanges in order"),
            construct(
                "( write(block.at, block) ) each block of image by 256 pad 0xFF align 4",
                "over the image that is flashed",
            ),
            construct(
                "( read(block.at, block.size, block) ) each block of image[size] by 256",
                "reads the image, or compares with it where it is known; `at` says where it begins",
            ),
            construct("erase_pages(units)", "the numbers of the pages or sectors that the image touches"),
        ],
    },
    Topic {
        title: "Times, scripts, vectors",
        about: "",
        constructs: &[
            construct("350 ms", "a time in `us`, `ms`, `s`, `min` or `bits`"),
            construct("330 bits + 50 ms", "a sum"),
            construct("max(38.5 bits, 1.75 ms)", "the longest of several"),
            construct("D1|R0|W0.1|B0", "a script: DTR, RTS and break to 1 or 0, and waits in seconds"),
            construct(
                "S1200|O0|W0.5|O8",
                "also a rate, which the line leaves behind the script; the port closed (O0), and opened again, with so many seconds for it to be there",
            ),
            construct("> 31 CE < 79", "a vector's talk: arrows and bytes; `55{32}` and text are allowed"),
        ],
    },
];
