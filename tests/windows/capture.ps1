# The agent reads the whole desktop, in physical pixels, into a picture.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$folder = New-StoryFolder
try {
    $picture = Join-Path $folder 'screen.png'
    Write-Host (Invoke-Program $Agent @('--test-capture', $picture))

    Add-Type -AssemblyName System.Drawing, System.Windows.Forms
    $image = [System.Drawing.Image]::FromFile($picture)
    try {
        Assert-Equal $image.RawFormat.Guid ([System.Drawing.Imaging.ImageFormat]::Png.Guid) 'the format'
        # The scale is asked too: this process may see smaller, logical pixels.
        $screen = [System.Windows.Forms.SystemInformation]::VirtualScreen
        Assert-True ($image.Width -ge $screen.Width) "at least $($screen.Width) columns, got $($image.Width)"
        Assert-True ($image.Height -ge $screen.Height) "at least $($screen.Height) rows, got $($image.Height)"
    } finally { $image.Dispose() }
} finally { Remove-Item -Recurse -Force $folder }
Write-Host 'ok: the agent reads the whole desktop'
