//! Who may use whom: the direction of dependencies that `docs/ARCHITECTURE.md` draws.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// What each crate of the workspace may use of the others. A crate that is not here uses none of them.
const ALLOWED: &[(&str, &[&str])] = &[
    ("hanna-wire", &["hanna-domain"]),
    ("hanna-report", &["hanna-domain"]),
    ("hanna-desk", &["hanna-domain", "hanna-wire", "hanna-report"]),
    // Its tests alone start a cluster.
    ("hanna-server", &["hanna-domain", "hanna-wire", "hanna-cluster"]),
    ("hanna-convenios", &["hanna-domain", "hanna-desk", "hanna-report"]),
    ("xtask", &["hanna-cluster"]),
    (
        "hanna-testkit",
        &["hanna-domain", "hanna-wire", "hanna-report", "hanna-desk", "hanna-server", "hanna-cluster"],
    ),
    (
        "hanna-tests",
        &[
            "hanna-domain",
            "hanna-wire",
            "hanna-report",
            "hanna-desk",
            "hanna-server",
            "hanna-testkit",
            "hanna-cluster",
        ],
    ),
];

/// The only crate that knows there is a window.
const SHELL: &str = "hanna-convenios";
/// The crate without input or output, and what would give it some, through however many others.
const PURE: &str = "hanna-domain";
const IMPURE: &[&str] = &["tokio", "rusqlite", "reqwest", "axum", "hyper"];

/// What breaks the rules, a sentence each; none when all is well.
///
/// # Errors
/// When `metadata` is not what `cargo metadata` prints.
pub fn offences(metadata: &Value) -> Result<Vec<String>> {
    let members = members(metadata)?;
    let mut offences = Vec::new();
    for (name, uses) in &members {
        let allowed = ALLOWED.iter().find(|(krate, _)| krate == name).map_or(&[][..], |(_, allowed)| allowed);
        for used in uses {
            if members.contains_key(used) && !allowed.contains(used) {
                offences.push(format!("{name} must not use {used}"));
            }
            if used.starts_with("tauri") && *name != SHELL {
                offences.push(format!("{name} must not use {used}: only {SHELL} knows the window"));
            }
        }
    }
    let reached = reached_from(metadata, PURE)?;
    for impure in IMPURE.iter().filter(|impure| reached.contains(*impure)) {
        offences.push(format!("{PURE} must not reach {impure}, not even through others"));
    }
    Ok(offences)
}

/// The crates of the workspace and what each names in its manifest, for whatever use.
fn members(metadata: &Value) -> Result<BTreeMap<&str, BTreeSet<&str>>> {
    let packages = array(metadata, "packages")?;
    let members = packages.iter().filter(|package| package.get("source").is_none_or(Value::is_null));
    members
        .map(|package| {
            let dependencies = array(package, "dependencies")?;
            let uses = dependencies.iter().map(|dependency| text(dependency, "name"));
            Ok((text(package, "name")?, uses.collect::<Result<_>>()?))
        })
        .collect()
}

/// The names of every package that `name` is compiled with, directly or not, on any system; not what only its tests
/// use.
fn reached_from<'a>(metadata: &'a Value, name: &str) -> Result<BTreeSet<&'a str>> {
    let mut names = BTreeMap::new();
    for package in array(metadata, "packages")? {
        names.insert(text(package, "id")?, text(package, "name")?);
    }
    let nodes = array(metadata.get("resolve").context("no `resolve`")?, "nodes")?;
    let mut edges = BTreeMap::new();
    for node in nodes {
        let mut next = Vec::new();
        for dependency in array(node, "deps")? {
            if array(dependency, "dep_kinds")?.iter().any(|kind| kind.get("kind").is_none_or(Value::is_null))
            {
                next.push(text(dependency, "pkg")?);
            }
        }
        edges.insert(text(node, "id")?, next);
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = names.iter().filter(|(_, known)| **known == name).map(|(id, _)| *id).collect();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    Ok(reached.iter().filter_map(|id| names.get(id).copied()).collect())
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).with_context(|| format!("no list `{key}` in what cargo knows"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("no text `{key}` in what cargo knows"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What cargo would say of crates that use each other so. Names without `hanna` come from a registry.
    fn metadata(uses: &[(&str, &[&str])]) -> Value {
        let packages: Vec<Value> = uses
            .iter()
            .map(|(name, uses)| {
                let source = if name.starts_with("hanna") { Value::Null } else { json!("registry") };
                let dependencies: Vec<Value> = uses.iter().map(|used| json!({ "name": used })).collect();
                json!({ "id": name, "name": name, "source": source, "dependencies": dependencies })
            })
            .collect();
        let nodes: Vec<Value> = uses
            .iter()
            .map(|(name, uses)| {
                let deps: Vec<Value> =
                    uses.iter().map(|used| json!({ "pkg": used, "dep_kinds": [{ "kind": null }] })).collect();
                json!({ "id": name, "deps": deps })
            })
            .collect();
        json!({ "packages": packages, "resolve": { "nodes": nodes } })
    }

    fn offences_of(uses: &[(&str, &[&str])]) -> Vec<String> {
        offences(&metadata(uses)).expect("well-formed metadata")
    }

    #[test]
    fn the_drawn_direction_is_allowed() {
        let uses: &[(&str, &[&str])] = &[
            ("hanna-domain", &["serde"]),
            ("hanna-wire", &["hanna-domain"]),
            ("hanna-report", &["hanna-domain"]),
            ("hanna-desk", &["hanna-domain", "hanna-wire", "hanna-report", "tokio"]),
            ("hanna-convenios", &["hanna-desk", "tauri", "tauri-build"]),
            ("serde", &[]),
            ("tokio", &[]),
            ("tauri", &["tokio"]),
        ];
        assert_eq!(offences_of(uses), Vec::<String>::new());
    }

    #[test]
    fn each_way_against_it_is_named() {
        let uses: &[(&str, &[&str])] = &[
            ("hanna-domain", &["serde"]),
            ("hanna-server", &["hanna-desk"]),
            ("hanna-desk", &["tauri"]),
            ("serde", &["tokio"]),
            ("tokio", &[]),
            ("tauri", &[]),
        ];
        assert_eq!(
            offences_of(uses),
            [
                "hanna-desk must not use tauri: only hanna-convenios knows the window",
                "hanna-server must not use hanna-desk",
                "hanna-domain must not reach tokio, not even through others",
            ]
        );
    }

    #[test]
    fn what_only_tests_of_a_library_use_is_not_reached() {
        let mut metadata = metadata(&[("hanna-domain", &["tokio"]), ("tokio", &[])]);
        metadata["resolve"]["nodes"][0]["deps"][0]["dep_kinds"] = json!([{ "kind": "dev" }]);
        assert_eq!(offences(&metadata).expect("well-formed metadata"), Vec::<String>::new());
    }
}
