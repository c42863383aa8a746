// swift-tools-version: 6.2
// A package that depends on this one as any other would, and imports Swzip alone.
import PackageDescription

let package = Package(
  name: "stranger",
  platforms: [.macOS("26.0")],
  dependencies: [.package(name: "swzip", path: "../..")],
  targets: [
    .executableTarget(
      name: "stranger", dependencies: [.product(name: "Swzip", package: "swzip")],
      swiftSettings: [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
      ])
  ]
)
