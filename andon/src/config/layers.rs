//! Laying the sources of settings over each other. Every fault of every source is found, not the first one alone.

use std::collections::BTreeMap;
use std::fmt;

use super::{Config, SETTINGS, Setting};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// A configuration file.
    File(String),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{path}"),
            Self::Environment(name) => write!(f, "{name}"),
            Self::Flag(name) => write!(f, "{name}"),
        }
    }
}

/// One source of settings: keys and values as written. Later layers win.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layer(pub Vec<(String, String, Origin)>);

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} error{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// The configuration that the layers make over the defaults, and where each value came from.
pub(crate) fn load(layers: &[Layer]) -> Result<(Config, BTreeMap<&'static str, Origin>), ConfigErrors> {
    let mut config = Config::default();
    let mut origins: BTreeMap<&'static str, Origin> =
        SETTINGS.iter().map(|setting| (setting.key, Origin::Default)).collect();
    let mut errors = Vec::new();
    for (key, value, origin) in layers.iter().flat_map(|layer| &layer.0) {
        match SETTINGS.iter().find(|setting| setting.key == key) {
            None => errors.push(unknown(key, origin)),
            Some(Setting { key, set, .. }) => {
                if let Err(why) = set(&mut config, value) {
                    errors.push(format!("{key} ({origin}): {why}"));
                }
                origins.insert(key, origin.clone());
            }
        }
    }
    errors.extend(config.check().into_iter().map(|(key, why)| format!("{key} ({}): {why}", origins[key])));
    if errors.is_empty() { Ok((config, origins)) } else { Err(ConfigErrors(errors)) }
}

fn unknown(key: &str, origin: &Origin) -> String {
    let nearest = SETTINGS
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(a.key, key).total_cmp(&strsim::jaro_winkler(b.key, key)))
        .expect("there are settings");
    format!("{key} ({origin}): there is no such setting; did you mean `{}`?", nearest.key)
}

impl Layer {
    /// The settings of a TOML file.
    pub(crate) fn from_toml(path: &str, text: &str) -> Result<Self, ConfigErrors> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            ConfigErrors(vec![format!("{path} is no TOML: {}", error.message())])
        })?;
        let mut layer = Self::default();
        let mut errors = Vec::new();
        layer.flatten("", &table, path, &mut errors);
        if errors.is_empty() { Ok(layer) } else { Err(ConfigErrors(errors)) }
    }

    fn flatten(&mut self, prefix: &str, table: &toml::Table, path: &str, errors: &mut Vec<String>) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let text = match value {
                toml::Value::Table(table) => {
                    self.flatten(&key, table, path, errors);
                    continue;
                }
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(switch) => switch.to_string(),
                toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) => {
                    errors.push(format!("{key} ({path}): a {} is no value of a setting", value.type_str()));
                    continue;
                }
            };
            self.0.push((key, text, Origin::File(path.to_owned())));
        }
    }

    /// The settings among environment variables: `ANDON_FOLD__EVENTS_MAX` is `fold.events_max`.
    pub(crate) fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut found: Vec<_> = variables
            .into_iter()
            .filter_map(|(name, value)| {
                let key = name.strip_prefix("ANDON_")?.to_ascii_lowercase().replace("__", ".");
                // The tests' own switches, the path of the configuration file, and the token of a client.
                (!key.starts_with("test_") && key != "config" && key != "token").then_some((
                    key,
                    value,
                    Origin::Environment(name),
                ))
            })
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Self(found)
    }

    /// Adds a flag, if it was given.
    pub(crate) fn flag(&mut self, name: &'static str, key: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| (key.to_owned(), value, Origin::Flag(name))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Layer {
        Layer::from_environment(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn every_default_is_valid_and_prints_as_it_is_written() {
        let mut config = Config::default();
        for setting in SETTINGS {
            assert_eq!((setting.set)(&mut config, setting.default), Ok(()), "{}", setting.key);
            assert_eq!((setting.get)(&config), setting.default, "{}", setting.key);
        }
        assert!(load(&[]).is_ok());
    }

    #[test]
    fn later_layers_win_and_say_where_a_value_came_from() {
        let file =
            Layer::from_toml("andon.toml", "[fold]\nallowed_lateness = \"1h\"\nevents_max = 100\n").unwrap();
        let environment = environment(&[("ANDON_FOLD__ALLOWED_LATENESS", "10y"), ("HOME", "/nowhere")]);
        let mut flags = Layer::default();
        flags.flag("--listen", "listen", Some("127.0.0.1:0".to_owned()));
        let (config, origins) = load(&[file, environment, flags]).unwrap();
        assert_eq!(config.fold.allowed_lateness_ms, 315_360_000_000);
        assert_eq!(config.fold.events_max, 100);
        assert_eq!(config.listen.port(), 0);
        assert_eq!(origins["fold.allowed_lateness"].to_string(), "ANDON_FOLD__ALLOWED_LATENESS");
        assert_eq!(origins["fold.events_max"].to_string(), "andon.toml");
        assert_eq!(origins["listen"].to_string(), "--listen");
        assert_eq!(origins["notify.max_age"], Origin::Default);
    }

    #[test]
    fn all_errors_are_told_at_once_and_an_unknown_key_names_the_nearest_one() {
        let layer = environment(&[
            ("ANDON_FOLD__ALLOWED_LATENES", "10y"),
            ("ANDON_FOLD__EVENTS_MAX", "0"),
            ("ANDON_LISTEN", "127.0.0.1:8081"),
            ("ANDON_NOTIFY__MAX_AGE", "soon"),
        ]);
        let ConfigErrors(errors) = load(&[layer]).unwrap_err();
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(errors[0].contains("did you mean `fold.allowed_lateness`?"), "{errors:?}");
        assert!(errors[1].contains("`0` is no whole number from 1 to 100000"), "{errors:?}");
        assert!(errors[2].contains("`soon` is no duration"), "{errors:?}");
        assert!(errors[3].contains("is the address of the API too"), "{errors:?}");
    }
}
