# The agent reads the whole desktop, in physical pixels, into a picture.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

Use-Picture $Agent {
    param($image)
    Assert-Equal $image.RawFormat.Guid ([System.Drawing.Imaging.ImageFormat]::Png.Guid) 'the format'
    # The scale is asked too: this process may see smaller, logical pixels.
    $screen = [System.Windows.Forms.SystemInformation]::VirtualScreen
    Assert-True ($image.Width -ge $screen.Width) "at least $($screen.Width) columns, got $($image.Width)"
    Assert-True ($image.Height -ge $screen.Height) "at least $($screen.Height) rows, got $($image.Height)"
}
Write-Host 'ok: the agent reads the whole desktop'
