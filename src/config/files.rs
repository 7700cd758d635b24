//! How much may be kept of what people send each other: `MAX_FILE_MB`, `MAX_FILES_MB_PER_USER`, `MAX_FILES_MB`,
//! `MAX_FILES`.

use std::path::{Path, PathBuf};

use super::environment::Variables;
use super::{BucketConfig, ConfigError};

/// Photographs, documents and short videos pass. A higher value lets one file fill a small disk.
const DEFAULT_FILE_MB: i64 = 200;
/// Ten of the largest files. A higher value lets fewer people fill the server.
const DEFAULT_USER_MB: i64 = 2_048;
/// Half of the smallest disk that servers are rented with.
const DEFAULT_TOTAL_MB: i64 = 20_480;
/// A hundred kilobytes each fill the bytes above, and the file systems of the smallest disks have names for a million. A higher value
/// lets small files use those names up, after which nothing on the disk can be made any more.
const DEFAULT_TOTAL_FILES: i64 = 200_000;
/// A hundred millions: what a file system with all its options has; more is a slip of the finger.
const MAX_FILES: i64 = 100_000_000;
/// A petabyte; more is a slip of the finger.
const MAX_MB: i64 = 1 << 30;
/// Below this much free space no new file is taken: the database and the log need room to go on.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// The same in hundredths of the disk, for large ones: file systems slow down when they are nearly full.
const LEAST_FREE_PERCENT: u64 = 2;

/// Where files are kept, and how much of them.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// The folder; made when the first file comes.
    pub folder: PathBuf,
    /// Where new files go instead, when it is set. What lies in the folder stays there.
    pub bucket: Option<BucketConfig>,
    /// One file.
    pub max_file_bytes: i64,
    /// All files of one user.
    pub max_user_bytes: i64,
    /// All files.
    pub max_total_bytes: i64,
    /// All files, however small.
    pub max_total_files: i64,
    /// What stays free on the disk. Not settable from outside; tests on a small disk lower it.
    pub least_free_bytes: u64,
    /// The same in hundredths of the disk.
    pub least_free_percent: u64,
}

impl FilesConfig {
    pub(super) fn from_variables(variables: &Variables<'_>, data_dir: &Path) -> Result<Self, ConfigError> {
        let bytes = |name, default| Ok::<_, ConfigError>(variables.parse(name, parse_megabytes)?.unwrap_or(default) << 20);
        let config = Self {
            folder: data_dir.join("files"),
            bucket: BucketConfig::from_variables(variables)?,
            max_file_bytes: bytes("MAX_FILE_MB", DEFAULT_FILE_MB)?,
            max_user_bytes: bytes("MAX_FILES_MB_PER_USER", DEFAULT_USER_MB)?,
            max_total_bytes: bytes("MAX_FILES_MB", DEFAULT_TOTAL_MB)?,
            max_total_files: variables.parse("MAX_FILES", parse_files)?.unwrap_or(DEFAULT_TOTAL_FILES),
            least_free_bytes: LEAST_FREE_BYTES,
            least_free_percent: LEAST_FREE_PERCENT,
        };
        Ok(config)
    }
}

fn parse_files(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_FILES).contains(number));
    number.ok_or_else(|| format!("must be a number of files from 1 to {MAX_FILES}"))
}

fn parse_megabytes(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_MB).contains(number));
    number.ok_or_else(|| format!("must be a number of megabytes from 1 to {MAX_MB}"))
}
