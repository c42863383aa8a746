// Who imports Swzip alone has what its interface speaks of: errors, types of elements, times.
@_exported public import SwzipCore
@_exported public import SwzipNames
