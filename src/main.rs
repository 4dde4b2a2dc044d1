//! The `rowmill` command.

fn main() -> std::process::ExitCode {
    rowmill::cli::main(std::env::args_os())
}
