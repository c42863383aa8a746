// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .enableExperimentalFeature("Lifetimes"),
]
let strictC: [CSetting] = [
  .treatAllWarnings(as: .error), .enableWarning("all"), .enableWarning("extra"), .enableWarning("conversion"),
]
// Static archives of the distribution: the command and the libraries need no compressor at run time.
let compressors: [LinkerSetting] = [
  .linkedLibrary(":libzstd.a", .when(platforms: [.linux])),
  .linkedLibrary(":liblz4.a", .when(platforms: [.linux])),
  .linkedLibrary(":libcrypto.a", .when(platforms: [.linux])),
  .linkedLibrary("zstd", .when(platforms: [.macOS])),
  .linkedLibrary("lz4", .when(platforms: [.macOS])),
  .linkedLibrary("crypto", .when(platforms: [.macOS])),
]

// Set by tools/library alone: a shared object needs linker flags that a manifest may not name.
let sharedLibrary = Context.environment["SWZIP_SHARED_LIBRARY"] != nil

let package = Package(
  name: "swzip",
  platforms: [.macOS("26.0")],
  products: [
    .executable(name: "swzip", targets: ["SwzipCommand"]),
    .library(name: "Swzip", targets: ["Swzip"]),
    .library(name: "swzip_c", type: sharedLibrary ? .dynamic : .static, targets: ["SwzipABI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "CSwzip", cSettings: strictC),
    .target(name: "CSwzipKernels", cSettings: strictC),
    .target(name: "CSwzipSystem", cSettings: strictC),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(name: "CLz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
    .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),
    .target(name: "SwzipLibc", swiftSettings: strict),
    .target(name: "SwzipNames", swiftSettings: strict),
    .target(name: "SwzipSystem", dependencies: ["CSwzipSystem", "SwzipLibc", "SwzipNames"], swiftSettings: strict),
    .target(
      name: "SwzipCore", dependencies: ["CSwzipKernels", "SwzipLibc", "SwzipNames", "CZstd", "CLz4", "CCrypto"],
      swiftSettings: strict, linkerSettings: compressors),
    .target(name: "SwzipInputs", dependencies: ["SwzipCore", "SwzipNames"], swiftSettings: strict),
    .target(
      name: "Swzip", dependencies: ["SwzipCore", "SwzipInputs", "SwzipNames", "SwzipSystem"], swiftSettings: strict),
    .target(
      name: "SwzipArchive", dependencies: ["Swzip", "SwzipCore", "SwzipInputs", "SwzipNames", "SwzipSystem"],
      swiftSettings: strict),
    .target(
      name: "SwzipABI",
      dependencies: [
        "CSwzip", "CSwzipSystem", "Swzip", "SwzipArchive", "SwzipCore", "SwzipLibc", "SwzipNames", "SwzipSystem",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "SwzipCommand",
      dependencies: [
        "Swzip", "SwzipArchive", "SwzipCore", "SwzipNames", "SwzipSystem", "CZstd",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .target(name: "SwzipTestSupport", path: "Tests/SwzipTestSupport", swiftSettings: strict),
    .target(
      name: "SwzipSamples", dependencies: ["CSwzipKernels", "SwzipCore", "SwzipInputs"], path: "Tests/SwzipSamples",
      swiftSettings: strict),
    .testTarget(
      name: "SwzipCoreTests", dependencies: ["CSwzipKernels", "SwzipCore", "SwzipNames", "SwzipSamples"],
      swiftSettings: strict),
    .testTarget(
      name: "SwzipTests",
      dependencies: [
        "CSwzipKernels", "Swzip", "SwzipCore", "SwzipLibc", "SwzipInputs", "SwzipNames", "SwzipSamples", "SwzipSystem",
        "SwzipTestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SwzipArchiveTests",
      dependencies: ["Swzip", "SwzipArchive", "SwzipCore", "SwzipNames", "SwzipSystem", "SwzipTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SwzipSystemTests", dependencies: ["SwzipNames", "SwzipSystem", "SwzipTestSupport"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: ["SwzipCommand", "SwzipCore", "SwzipNames", "SwzipSystem", "SwzipTestSupport"],
      exclude: ["Snapshots"], swiftSettings: strict),
  ],
  cLanguageStandard: .c17
)
