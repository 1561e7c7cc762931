use super::*;
use crate::frame::{At, Nothing, Scanner};

/// A few names and a device with 16 bytes of memory.
struct Bench;

impl Scope for Bench {
    fn look(&self, path: &Path) -> Option<Value> {
        match path.to_string().as_str() {
            "n" => Some(Value::Int(5)),
            "op" => Some(Value::Int(0x44)),
            "codes" => Some(Value::bytes(Bytes::from_static(&[0x43, 0x44]))),
            "image" => Some(Value::Bytes(Blob { bytes: Bytes::from_static(b"123456789"), at: 0x800 })),
            "last.fcb" => Some(Value::Int(1)),
            _ => None,
        }
    }

    fn memory(&self, address: u64, n: usize) -> Result<Bytes, EvalError> {
        if address + n as u64 > 16 {
            return Err(EvalError::Outside { address, n });
        }
        Ok(vec![0xEE; n].into())
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        (&**table == "fi" && x == 1).then_some(372)
    }
}

fn value(text: &str) -> Result<Value, EvalError> {
    Expr::parse(text).expect(text).eval(&Bench)
}

#[track_caller]
fn gives(text: &str, number: i128) {
    assert_eq!(value(text), Ok(Value::Int(number)), "{text}");
}

#[test]
fn operators_bind_as_their_table_says() {
    gives("1 + 2 * 3", 7);
    gives("(1 + 2) * 3", 9);
    gives("10 - 3 - 2", 5);
    gives("1 << 4 | 3", 19);
    gives("7 & 3 ^ 1", 2);
    gives("1 + 1 == 2 && 3 > 2", 1);
    gives("0 || 1 ? 5 : 6", 5);
    gives("0 ? 1 : 0 ? 2 : 3", 3);
    gives("-3 % 256", 253);
    gives("~5 & 0xFF", 250);
    gives("!0 + !7", 1);
    gives("0x44 in codes", 1);
    gives("op in codes && !(n in codes)", 1);
    gives("last.fcb ^ 1", 0);
    gives("8 >= 8", 1);
    gives("1 != 1", 0);
}

#[test]
fn bytes_know_their_size_and_their_address() {
    gives("image.size", 9);
    gives("image.at + 1", 0x801);
    gives("size(image, codes)", 11);
}

#[test]
fn every_function_has_its_value() {
    gives("sum(image)", 477);
    gives("sum8(image)", 0xDD);
    gives("sum16(image)", 477);
    gives("sum32(image)", 477);
    gives("xor8(image)", 0x31);
    gives("lrc(image)", 0x23);
    gives("crc(CRC-16/MODBUS, image)", 0x4B37);
    gives("crc(CRC-32/ISO-HDLC, image)", 0xCBF4_3926);
    gives("min(3, n, 4)", 3);
    gives("max(3, n, 4)", 5);
    gives("lookup(fi, 1)", 372);
    gives("size(memory(4, 8))", 8);
    gives("inflate(zlib(image)) == image", 1);
    gives("reverse(\"abc\") == \"cba\"", 1);
    gives("reverse(\"abcdefg\", 4) == \"dcbagfe\"", 1);
    gives("le(\"\\x34\\x12\")", 0x1234);
    gives("be(\"\\x12\\x34\")", 0x1234);
    gives("le(0x1234, 2) == \"\\x34\\x12\"", 1);
    gives("be(-1, 3) == \"\\xff\\xff\\xff\"", 1);
    gives("bits(\"\\x05\\x01\", 9) == \"\\x01\\0\\x01\\0\\0\\0\\0\\0\\x01\"", 1);
    gives("pack(bits(\"\\xcd\\x01\", 10)) == \"\\xcd\\x01\"", 1);
    gives("hex(md5(image)) == \"25f9e794323b453885f5181f1b624d0b\"", 1);
    gives("size(sha256(image))", 32);
    gives("fletcher8(codes) == \"\\x87\\xca\"", 1);
    gives("(image ^ codes ^ codes) == image", 1);
}

#[test]
fn what_has_no_value_says_why() {
    assert_eq!(value("1 / 0"), Err(EvalError::DivisionByZero));
    assert_eq!(value("1 % (n - 5)"), Err(EvalError::DivisionByZero));
    assert_eq!(value("0xFFFFFFFFFFFFFFFF + 1"), Err(EvalError::TooLarge));
    assert_eq!(value("0xFFFFFFFFFFFFFFFF * 0xFFFFFFFFFFFFFFFF"), Err(EvalError::TooLarge));
    assert_eq!(value("1 << 64"), Err(EvalError::WrongKind("a shift goes by 0 to 63 bits")));
    let nobody = Path { first: "nobody".into(), rest: Some("n".into()) };
    assert_eq!(value("nobody.n"), Err(EvalError::Unknown(Missing::Path(nobody))));
    assert_eq!(value("memory(15, 2)"), Err(EvalError::Outside { address: 15, n: 2 }));
    assert_eq!(value("inflate(image)"), Err(EvalError::Damaged("this is not a whole zlib stream")));
    assert_eq!(value("le(image)"), Err(EvalError::TooLarge), "nine bytes are more than a number holds");
    assert_eq!(value("be(1, 9)"), Err(EvalError::TooLarge));
    assert_eq!(value("bits(\"a\", 9)"), Err(EvalError::WrongKind("more bits than the bytes have")));
    assert_eq!(value("reverse(image, 0)"), Err(EvalError::WrongKind("a group has one byte or more")));
    assert!(value("image + 1").is_err());
    assert!(value("sum8(a..b)").is_err(), "a span has no bytes outside a layout");
    assert_eq!(
        Expr::parse("memory(0, 1)").expect("a call").eval(&Nothing),
        Err(EvalError::Unknown(Missing::Memory))
    );
}

#[track_caller]
fn refused(text: &str) -> (At, String, Option<String>) {
    let mistake = Expr::parse(text).expect_err(text);
    (mistake.at, mistake.says, mistake.help)
}

#[test]
fn a_mistake_is_told_with_its_place() {
    assert_eq!(
        refused("1 + sise(a)"),
        (At { from: 4, to: 8 }, "no function is called `sise`".into(), Some("did you mean `size`?".into()))
    );
    assert_eq!(refused("1 +").1, "the text ends here; expected a number, a text, a name, a function or `(`");
    assert_eq!(refused("(1 + 2").2, Some("`(` was opened at character 1".into()));
    assert_eq!(refused("memory(1)").1, "`memory` was given 1 arguments, takes memory(address, n)");
    assert_eq!(refused("a..b").0, At { from: 0, to: 4 });
    assert_eq!(refused("1 2").1, "expected an operator or the end, found `2`");
    assert_eq!(refused("a.b.c").1, "expected at most one dot in a name, found `.c`");
}

#[test]
fn an_operator_keeps_its_place_in_the_text() {
    let expr = Expr::parse("n  *  (op - 1)  ").expect("two operators");
    assert_eq!(expr.at, At { from: 0, to: 14 });
    let places: Vec<At> = expr.paths().into_iter().map(|(_, at)| at).collect();
    assert_eq!(places, [At { from: 0, to: 1 }, At { from: 7, to: 9 }]);
}

#[test]
fn hostile_nesting_is_refused_without_using_up_the_stack() {
    for text in ["(".repeat(100_000), "-".repeat(100_000), "~(".repeat(50_000), "1+".repeat(100_000) + "1"] {
        assert_eq!(refused(&text).1, "this expression is too large");
    }
    assert_eq!(refused(&"min(1,".repeat(100_000)).1, "this expression is too large");
    assert_eq!(refused(&"1?".repeat(100_000)).1, "this expression is too large");
}

#[test]
fn an_operand_is_read_and_no_further() {
    let mut scanner = Scanner::new("256 pad 0xFF");
    assert_eq!(Expr::read_operand(&mut scanner).expect("256").as_number(), Some(256));
    assert_eq!(scanner.rest(), "pad 0xFF");
    let mut scanner = Scanner::new("a -> ready");
    Expr::read(&mut scanner).expect("a name");
    assert_eq!(scanner.rest(), "-> ready", "an arrow is no minus");
}
