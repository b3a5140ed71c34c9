//! `guruconnect-agent`.

use std::process::ExitCode;

use clap::Parser as _;
use gc_agent::cli::Options;

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match &options.test_capture {
        Some(path) => gc_agent::test_capture(path),
        None if gc_agent::attended::is_wanted(&options) => gc_agent::attended::run(&options),
        None => gc_agent::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guruconnect-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
