/// Of the library and the command; RELEASE.md says what its numbers mean.
public let swzipVersion: StaticString = "0.2.0"
