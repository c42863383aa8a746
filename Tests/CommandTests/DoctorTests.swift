import Testing

@testable import SwzipCommand

struct DoctorTests {
  /// It finds nothing wrong, and says what it uses.
  @Test func doctor() {
    let outcome = Command().run(["doctor", "--json"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    for field in ["version", "format", "kernels", "processors", "copy_rate", "pack_rates", "unpack_rates"] {
      #expect(outcome.text.contains("\"\(field)\":"), "\(field)")
    }
    #expect(outcome.text.contains(#""faults":[]"#))
  }
}
