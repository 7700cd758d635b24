//! The command `webcall`.

use std::process::ExitCode;

use webcall::config::Command;

fn main() -> ExitCode {
    let args = match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(args)) => args,
        Ok(Command::Bench { arguments }) => {
            return webcall::bench::run(arguments).map_or_else(|error| ended("webcall bench", &error), |()| ExitCode::SUCCESS);
        }
        Ok(Command::Doctor { arguments }) => {
            return match webcall::doctor::run(arguments) {
                Ok(webcall::doctor::Verdict::NoFault) => ExitCode::SUCCESS,
                Ok(webcall::doctor::Verdict::Faults) => ExitCode::FAILURE,
                Err(error) => ended("webcall doctor", &error),
            };
        }
        Ok(Command::Print(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return failed(&error),
    };
    webcall::telemetry::init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system lets threads start");
    match runtime.block_on(webcall::run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    ended("webcall cannot start", error)
}

fn ended(what: &str, error: &dyn std::error::Error) -> ExitCode {
    eprintln!("{what}: {error}");
    ExitCode::FAILURE
}
