//! Starts the command line, which lives in `cli`.

fn main() -> std::process::ExitCode {
    hsdiag::cli::main()
}
