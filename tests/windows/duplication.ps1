# Where this Windows lets desktops be duplicated, the agent reads the screen that way, and what
# it reads is what GDI reads. Where not, it says why. Basic display drivers may not.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$folder = New-StoryFolder
try {
    $picture = Join-Path $folder 'screen.png'
    $said = Invoke-Program $Agent @('--test-capture', $picture)
    Write-Host $said
    $source = [regex]::Match($said, '(?m)^read by\s+(.*?)\s*$').Groups[1].Value
    if ($source -ne 'desktop duplication') {
        Assert-True ($source -match '^GDI \(desktop duplication: .+\)$') "a reason for GDI in '$source'"
        Write-Host "not checked: $source"
        exit 0
    }

    Add-Type -AssemblyName System.Drawing, System.Windows.Forms
    $image = [System.Drawing.Bitmap]::FromFile($picture)
    $screen = [System.Windows.Forms.SystemInformation]::VirtualScreen
    $byGdi = New-Object System.Drawing.Bitmap $screen.Width, $screen.Height
    $graphics = [System.Drawing.Graphics]::FromImage($byGdi)
    try {
        if ($image.Width -ne $screen.Width -or $image.Height -ne $screen.Height) {
            Write-Host 'not compared: this display is scaled'
            exit 0
        }
        $graphics.CopyFromScreen($screen.Location, [System.Drawing.Point]::Empty, $screen.Size)
        $same = 0
        $asked = 0
        # A clock or a caret may differ; a picture that is turned, shifted or black differs everywhere.
        for ($y = 4; $y -lt $image.Height; $y += 16) {
            for ($x = 4; $x -lt $image.Width; $x += 16) {
                $asked++
                $one, $other = $image.GetPixel($x, $y), $byGdi.GetPixel($x, $y)
                if ($one.R -eq $other.R -and $one.G -eq $other.G -and $one.B -eq $other.B) { $same++ }
            }
        }
        Assert-True ($same -ge 0.95 * $asked) "the same picture as GDI's, but $same of $asked points are"
    } finally { $graphics.Dispose(); $byGdi.Dispose(); $image.Dispose() }
} finally { Remove-Item -Recurse -Force $folder }
Write-Host 'ok: the screen is read by desktop duplication'
