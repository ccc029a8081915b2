//! The decision, from what was collected and the settings.

use crate::Verdict;
use crate::answer::Writer;
use crate::collect::{Facts, Image, Subject};
use crate::image::{is_well_formed, normalise};
use crate::json::Problem;
use crate::settings::Mistake;
use crate::text::Text;
use alloc::vec::Vec;

const ANNOTATION: &str = "image-registry-validator.stellar.org";

pub fn decide(facts: &Facts) -> Verdict {
    if let Some(mistake) = &facts.settings.mistake {
        return deny("InvalidSettings", |out| explain(mistake, out));
    }
    if !facts.operation.is("CREATE") && !facts.operation.is("UPDATE") {
        return skipped(facts.operation);
    }
    match facts.object {
        Subject::Missing => deny("InvalidInput", |out| {
            out.put("No object provided");
        }),
        Subject::NotAnObject => deny("InvalidInput", |out| {
            out.put("The object is not a JSON object");
        }),
        Subject::Object => judge(facts),
    }
}

/// The input is not what the ABI promises.
pub fn unreadable(problem: Problem, position: usize) -> Verdict {
    deny("PluginError", |out| {
        out.put("Plugin error: Failed to parse input: ").put(problem);
        out.put(" at byte ").number(position as u32);
    })
}

fn judge(facts: &Facts) -> Verdict {
    let is_approved = |image: &[u8]| {
        is_well_formed(image) && facts.settings.registries.iter().any(|prefix| prefix.approves(image))
    };
    let refused: Vec<&Image> =
        facts.images.iter().filter(|image| !is_approved(&normalise(&image.name.decode()))).collect();
    // A version without a registry is a tag; one with a registry is compared as it is written.
    let version = facts.version.filter(|version| !version.is_empty());
    let names_registry = version.is_some_and(|version| version.decode().contains(&b'/'));
    let refused_version = version.filter(|version| names_registry && !is_approved(&version.decode()));

    let mut out = Writer::new();
    let allowed = refused.is_empty() && refused_version.is_none();
    if allowed {
        out.put(r#"{"allowed":true,"message":"Validation passed""#);
    } else {
        let names: Vec<Text> =
            refused_version.into_iter().chain(refused.iter().map(|image| image.name)).collect();
        out.put(r#"{"allowed":false,"reason":"PolicyViolation","message":""#);
        out.put(if names.len() == 1 { "Image " } else { "Images " });
        out.list(", ", &names, |out, name| {
            out.put("'").text(*name).put("'");
        });
        out.put(if names.len() == 1 { " is not" } else { " are not" });
        out.registries(&facts.settings.registries).put(r#"","errors":["#);
        out.list(",", refused_version, |out, name| {
            error(out, facts, name, |out| _ = out.put("spec.version"))
        });
        if refused_version.is_some() && !refused.is_empty() {
            out.put(",");
        }
        out.list(",", &refused, |out, image| error(out, facts, image.name, |out| _ = out.field(image.field)));
        out.put("]");
    }
    warnings(facts, version.filter(|_| !names_registry), &mut out);
    out.put(r#","auditAnnotations":{""#).put(ANNOTATION).put(r#"/checked":"true""#);
    if let Some(version) = version {
        out.put(r#",""#).put(ANNOTATION).put(r#"/version":""#).text(version).put(r#"""#);
    }
    out.put("}}");
    Verdict { allowed, json: out.finish() }
}

fn error(out: &mut Writer, facts: &Facts, name: Text, field: impl FnOnce(&mut Writer)) {
    out.put(r#"{"field":""#);
    field(out);
    out.put(r#"","message":"Image '"#).text(name).put("' is not").registries(&facts.settings.registries);
    out.put(r#"","errorType":"InvalidRegistry","invalidValue":""#).text(name).put(r#""}"#);
}

fn warnings(facts: &Facts, tag: Option<Text>, out: &mut Writer) {
    out.put(r#","warnings":["#);
    if let Some(tag) = tag {
        out.put(r#""No registry specified in version '"#).text(tag).put(r#"', assuming docker.io""#);
    }
    // Pods state their own limits per container; this rule is about nodes.
    let limit = facts.memory_limit.filter(|limit| facts.images.is_empty() && is_low(&limit.decode()));
    if let Some(limit) = limit {
        out.put(if tag.is_some() { "," } else { "" });
        out.put(r#""Memory limit "#).text(limit).put(r#" is quite low, consider at least 512Mi""#);
    }
    out.put("]");
}

/// Less than 512, in Mi. Other units are not judged.
fn is_low(quantity: &[u8]) -> bool {
    let Some(digits) = quantity.strip_suffix(b"Mi") else {
        return false;
    };
    let number = digits.iter().try_fold(0u32, |number, digit| {
        digit.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
    });
    !digits.is_empty() && number.is_some_and(|number| number < 512)
}

fn explain(mistake: &Mistake, out: &mut Writer) {
    match mistake {
        Mistake::NotAnObject => out.put("the settings must be an object with the key `registries`"),
        Mistake::Unknown(key) => {
            out.put("unknown setting `").text(*key).put("`; the only one is `registries`")
        }
        Mistake::Twice => out.put("setting `registries` is given twice"),
        Mistake::RegistriesMissing => {
            out.put("setting `registries` is missing; list the approved ones, such as `docker.io/library`")
        }
        Mistake::RegistriesNotAList => {
            out.put("setting `registries` must be a list of registries, such as `docker.io/library`")
        }
        Mistake::RegistriesEmpty => out.put("setting `registries` is empty, which would refuse every image"),
        Mistake::EntryNotAString(index) => {
            out.put("setting `registries[").number(*index).put("]` must be a string")
        }
        Mistake::EntryWithoutHost(index, text) => {
            out.put("setting `registries[").number(*index).put("]`: `").text(*text);
            out.put("` is not a registry; start with its host, such as `docker.io/library`")
        }
    };
}

fn skipped(operation: Text) -> Verdict {
    let mut out = Writer::new();
    out.put(r#"{"allowed":true,"message":"Skipping "#).text(operation).put(r#" operation"}"#);
    Verdict { allowed: true, json: out.finish() }
}

fn deny(reason: &str, message: impl FnOnce(&mut Writer)) -> Verdict {
    let mut out = Writer::new();
    out.put(r#"{"allowed":false,"reason":""#).put(reason).put(r#"","message":""#);
    message(&mut out);
    out.put(r#""}"#);
    Verdict { allowed: false, json: out.finish() }
}
