//! `andon config`: what the settings are.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::ConfigCommand;
use crate::config::{Config, Layer, Origin, SETTINGS, load};
use crate::exit::Failure;

/// Where each value came from.
pub(crate) type Origins = BTreeMap<&'static str, Origin>;

/// The configuration file that is read when none is named.
const DEFAULT_FILE: &str = "andon.toml";

/// The configuration from file, environment and flags.
pub(crate) fn read(file: Option<&Path>, flags: Layer) -> Result<(Config, Origins), Failure> {
    let file = match file {
        Some(path) => Some((path, std::fs::read_to_string(path))),
        None => {
            let path = Path::new(DEFAULT_FILE);
            path.exists().then(|| (path, std::fs::read_to_string(path)))
        }
    };
    let mut layers = Vec::new();
    if let Some((path, text)) = file {
        let name = path.display().to_string();
        let text = text.map_err(|error| Failure::Config(format!("could not read `{name}`: {error}")))?;
        layers.push(Layer::from_toml(&name, &text).map_err(|errors| Failure::Config(errors.to_string()))?);
    }
    layers.push(Layer::from_environment(std::env::vars()));
    layers.push(flags);
    load(&layers).map_err(|errors| Failure::Config(errors.to_string()))
}

/// Runs the command.
pub(crate) fn run(command: &ConfigCommand, config: &Config, origins: &Origins) {
    match command {
        ConfigCommand::Check => println!("the configuration is right"),
        ConfigCommand::Show => print!("{}", show(config, origins)),
    }
}

/// Every setting as a commented `andon.toml`; what has its default is commented out.
fn show(config: &Config, origins: &Origins) -> String {
    let mut text = String::new();
    for setting in SETTINGS {
        let origin = &origins[setting.key];
        let hidden = if *origin == Origin::Default { "# " } else { "" };
        let value = toml::Value::String((setting.get)(config));
        text.push_str(&format!("# {} ({origin})\n{hidden}{} = {value}\n\n", setting.doc, setting.key));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        let (mut config, mut origins) = load(&[]).unwrap();
        config.fold.allowed_lateness_ms = 60_000;
        origins
            .insert("fold.allowed_lateness", Origin::Environment("ANDON_FOLD__ALLOWED_LATENESS".to_owned()));
        let layer = Layer::from_toml("shown", &show(&config, &origins)).unwrap();
        assert_eq!(load(&[layer]).unwrap().0, config);
    }
}
