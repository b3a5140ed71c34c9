//! Every file that a fuzzer ever found interesting, and every crash, goes through its target again.

use std::path::Path;

#[test]
fn every_corpus_file_passes_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in gc_fuzz::TARGETS {
        let folder = corpus.join(name);
        let files = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("read {}: {error}", folder.display()));
        let mut replayed = 0;
        for file in files {
            let path = file.expect("a folder that can be listed").path();
            let data = std::fs::read(&path).expect("a file that can be read");
            target(&data);
            // Cut anywhere, it is still no reason to panic.
            for length in 0..data.len().min(512) {
                target(&data[..length]);
            }
            replayed += 1;
        }
        assert!(replayed > 0, "{} has no files", folder.display());
    }
}
