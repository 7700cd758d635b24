//! The command `webcall`.

use std::ffi::OsString;
use std::process::ExitCode;

use webcall::config::{Args, Command, Config};
use webcall::vault::Task;
use webcall::{bench, doctor, turn_keys, vault};

/// See Cargo.toml for the reason.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(args)) => serve(&args),
        Ok(Command::CheckConfig(args)) => match Config::inspect(&args, |name| std::env::var(name).ok()) {
            Ok(_) => printed("the settings can be used"),
            Err(error) => ended("webcall check-config", &error),
        },
        Ok(Command::TurnKey { arguments }) => match turn_keys::run(arguments) {
            Ok(text) => printed(&text),
            Err(error) => ended("webcall turn-key", &error),
        },
        Ok(Command::Bench { arguments }) => {
            bench::run(arguments).map_or_else(|error| ended("webcall bench", &error), |()| ExitCode::SUCCESS)
        }
        Ok(Command::Doctor { arguments }) => match doctor::run(arguments) {
            Ok(doctor::Verdict::NoFault) => ExitCode::SUCCESS,
            Ok(doctor::Verdict::Faults) => ExitCode::FAILURE,
            Err(error) => ended("webcall doctor", &error),
        },
        Ok(Command::BackUp { arguments }) => moved(Task::BackUp, arguments),
        Ok(Command::Restore { arguments }) => moved(Task::Restore, arguments),
        Ok(Command::MigrateTo { arguments }) => moved(Task::MigrateTo, arguments),
        Ok(Command::Print(text)) => printed(&text),
        Err(error) => ended(CANNOT_START, &error),
    }
}

const CANNOT_START: &str = "webcall cannot start";

fn serve(args: &Args) -> ExitCode {
    webcall::telemetry::init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system lets threads start");
    match runtime.block_on(webcall::run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ended(CANNOT_START, &error),
    }
}

fn moved(task: Task, arguments: Vec<OsString>) -> ExitCode {
    match vault::run(task, arguments) {
        Ok(text) => printed(&text),
        Err(error) => ended(&format!("webcall {}", task.word()), &error),
    }
}

fn printed(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

fn ended(what: &str, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{what}: {error}");
    ExitCode::FAILURE
}
