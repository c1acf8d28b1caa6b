//! `cargo xtask`: the project's own commands, one file each in `commands/`.

mod cargo;
mod commands;
mod compress;
mod cpu_module;
mod demo;
mod error;
mod line_length;
mod memory_import;
mod process;
mod product;
mod progress;
mod project;
mod remap;
mod reports;
mod setup;
mod site;
mod tally;
mod wasm;

use std::process::ExitCode;

use error::{Error, Result};
use lexopt::prelude::*;

const HELP: &str = "\
cargo xtask COMMAND

  serve [--port 8080] [--release]  set up what is missing, build, and serve the page on 127.0.0.1
                                   (--port 0 takes any free port; --release serves the published form)
  build [--dev]                    write the self-contained static site to dist/ (--dev skips wasm-opt)
  test  [--full]                   set up what is missing and run every check; --full adds the long browser tests
  parity                           install PyTorch and transformers (some 5 GB) under target/, open an exported
                                   model there, and make the recordings again that the tests compare with
  bench [--no-python] [--dev] ...  time webtune and its peers on the same work, side by side in one Chromium;
                                   installs the peers under bench/ and PyTorch under target/ (--no-python does without)
                                   (--help lists more options; --dev skips wasm-opt and publishes nothing;
                                   --accept measures the figures of the regression gate again)
  deny                             check every dependency with cargo-deny: licences, sources, advisories
  soak [--kills N] [--minutes N] [--seed S] [--report FILE]
                                   kill runs at random steps, continue them and compare their losses; then watch
                                   the memory of a long run
  reproducible                     build the site twice in two folders and compare every file
  help                             print this
";

fn main() -> ExitCode {
    match run(lexopt::Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::TestsFailed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let command = match arguments.next().map_err(usage)? {
        Some(Value(word)) => word.to_string_lossy().into_owned(),
        Some(Long("help") | Short('h')) | None => "help".to_owned(),
        Some(other) => return Err(usage(other.unexpected())),
    };
    if command == "soak" {
        // The driver checks its own options.
        return commands::soak::run(arguments.raw_args().map_err(usage)?);
    }
    if command == "bench" {
        // The driver checks its own options.
        return commands::bench::run(arguments.raw_args().map_err(usage)?);
    }
    let mut flags = Flags::default();
    while let Some(argument) = arguments.next().map_err(usage)? {
        match (command.as_str(), argument) {
            ("serve", Long("port")) => {
                flags.port = arguments
                    .value()
                    .and_then(|port| port.parse())
                    .map_err(usage)?
            }
            ("serve", Long("release")) => flags.release = true,
            ("build", Long("dev")) => flags.dev = true,
            ("test", Long("full")) => flags.full = true,
            (_, other) => return Err(usage(other.unexpected())),
        }
    }
    match command.as_str() {
        "serve" => commands::serve::run(flags.port, flags.release),
        "build" => commands::build::run(if flags.dev {
            wasm::Form::Development
        } else {
            wasm::Form::Published
        })
        .map(drop),
        "test" => commands::test::run(flags.full),
        "parity" => commands::parity::run(),
        "deny" => commands::deny::run(),
        "reproducible" => commands::reproducible::run(),
        "help" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(Error::Usage(format!("there is no command `{other}`."))),
    }
}

/// The options of all commands.
struct Flags {
    port: u16,
    release: bool,
    dev: bool,
    full: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            port: 8080,
            release: false,
            dev: false,
            full: false,
        }
    }
}

fn usage(error: lexopt::Error) -> Error {
    Error::Usage(format!("{error}."))
}
