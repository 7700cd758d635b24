//! A text as the squares of a QR code (ISO/IEC 18004), for the page to draw: what is shown to another person's camera, and the link of a new
//! device.

use qrcodegen::{QrCode, QrCodeEcc};

use super::SafetyError;

/// Codes of longer texts have squares too small for cameras of telephones, on screens of telephones.
pub const MAX_QR_TEXT_BYTES: usize = 512;

/// Row by row from the top, `1` for each dark square and `0` for each light one. Around them belong four squares' width of light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Squares {
    pub rows: Vec<String>,
}

/// Of the least size that holds the text, with as much error correction as fits into that.
pub fn squares(text: &str) -> Result<Squares, SafetyError> {
    if text.len() > MAX_QR_TEXT_BYTES {
        return Err(SafetyError::Malformed);
    }
    let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(|_| SafetyError::Malformed)?;
    let side = 0..code.size();
    let square = |x, y| if code.get_module(x, y) { '1' } else { '0' };
    let rows = side.clone().map(|y| side.clone().map(|x| square(x, y)).collect()).collect();
    Ok(Squares { rows })
}
