// swift-tools-version: 6.2
// A package that depends on this one as any other would, and imports Swzip alone.
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "stranger",
  platforms: [.macOS("26.0")],
  dependencies: [.package(name: "swzip", path: "../..")],
  targets: ["stranger", "embeddings"].map { name in
    .executableTarget(
      name: name, dependencies: [.product(name: "Swzip", package: "swzip")], swiftSettings: settings)
  }
)
