//! The JSON Schema of table files, for editors: completion, hover texts and the first mistakes while one types.

use serde_json::{Map, Value, json};

use crate::protocol::keys::{Key, Kind, Naming, Others, Section, TABLE};

use super::sections::capital;

/// A schema of draft 2020-12. It knows names, types and borders; what stands inside a layout or a talk is left to `protocols check`.
pub fn schema() -> Value {
    let mut schema = section(&TABLE);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".into(), json!("hsdiag protocol table"));
    }
    schema
}

fn section(section: &Section) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("description".into(), json!(capital(section.meaning)));
    let properties: Map<String, Value> =
        section.keys.iter().map(|one| (one.name.to_string(), key(one))).collect();
    schema.insert("properties".into(), Value::Object(properties));
    let required: Vec<&str> = section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    if let Some(others) = &section.others {
        let chosen = json!({ pattern(section, others): others_schema(others) });
        schema.insert("patternProperties".into(), chosen);
    }
    schema.insert("additionalProperties".into(), json!(false));
    Value::Object(schema)
}

fn key(key: &Key) -> Value {
    let mut words = capital(key.meaning);
    if let Some(default) = key.default {
        words = format!("{words}\n\nWithout it: {default}");
    }
    described(kind(&key.kind), format!("{words}\n\nExample: `{} = {}`", key.name, key.example))
}

fn others_schema(others: &Others) -> Value {
    described(kind(&others.kind), format!("{}\n\nExample: `{}`", capital(others.meaning), others.example))
}

fn described(mut schema: Value, words: String) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), json!(words));
    }
    schema
}

/// Chosen keys, but not those that the section knows by name.
fn pattern(section: &Section, others: &Others) -> String {
    let known: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
    let chosen = match others.naming {
        Naming::Name => "[a-z][a-z0-9_]*",
        Naming::Number => "(0x[0-9A-Fa-f_]+|[0-9_]+)",
        Naming::NumberOrBytes => "(0x[0-9A-Fa-f_]+|[0-9_]+|[0-9A-F]{2}( ?[0-9A-F]{2})*)",
    };
    if known.is_empty() { format!("^{chosen}$") } else { format!("^(?!({})$){chosen}$", known.join("|")) }
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::Layout | Kind::Talk | Kind::Expression | Kind::Envelope | Kind::Time => {
            json!({ "type": "string" })
        }
        Kind::Answer | Kind::VectorTalk | Kind::Named(_) => json!({ "type": "string" }),
        Kind::Name => json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$" }),
        // TOML's numbers end at 63 bits, so that greater ones are written in quotes.
        Kind::Number { least, most } if *most > i128::from(i64::MAX) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": border(*least) }, { "type": "string", "pattern": NUMBER }] })
        }
        Kind::Number { least, most } => {
            json!({ "type": "integer", "minimum": border(*least), "maximum": border(*most) })
        }
        Kind::Truth => json!({ "type": "boolean" }),
        Kind::Format => json!({ "type": "string", "pattern": "^[5-9][NEOMSneoms](1|1\\.5|2)$" }),
        Kind::Baud => json!({ "type": "integer", "minimum": 1, "maximum": crate::line::Baud::MAX }),
        Kind::HexBytes => json!({ "type": "string", "pattern": "^\\s*([0-9A-Fa-f]{2}\\s*)*$" }),
        Kind::Value => value(),
        Kind::Set => json!({ "type": "array", "items": { "type": ["integer", "string"] } }),
        Kind::Script => json!({ "type": "string", "pattern": "^[DRBWSO][0-9.]+(\\|[DRBWSO][0-9.]+)*$" }),
        Kind::Sectors => json!({ "type": "string", "pattern": "^\\s*\\w+\\s*x\\s*\\w+\\s*$" }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::List(of) => json!({ "type": "array", "items": self::kind(of) }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(self::kind).collect::<Vec<_>>() }),
        Kind::Section(of) => section(of),
        Kind::Sections(of) => json!({ "type": "array", "items": section(of) }),
    }
}

const NUMBER: &str = "^(0x[0-9A-Fa-f_]+|[0-9_]+)$";

fn value() -> Value {
    let one = json!({ "type": ["integer", "string", "boolean"] });
    let list = json!({ "type": "array", "items": { "anyOf": [one, { "type": "array" }] } });
    json!({ "anyOf": [one, list] })
}

/// JSON's numbers, as far as they go exactly.
fn border(number: i128) -> Value {
    i64::try_from(number).map(Value::from).unwrap_or_else(|_| json!(number as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_section_and_refuses_other_keys() {
        let schema = schema();
        assert_eq!(schema["properties"]["line"]["properties"]["format"]["anyOf"][0]["type"], "string");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["name"]));
        assert_eq!(schema["properties"]["vector"]["items"]["required"], json!(["name", "talk"]));
    }
}
